import { describe, expect, it } from '@jest/globals';
import { sessionOf } from '../support/modes/session.js';
import { useServer } from '../support/server.js';

describe('a route that requires a tenant', () => {
  const context = useServer();

  it('accepts its members only', async () => {
    const person = await context.server.person();
    const client = await sessionOf(person);
    await context.server.query('INSERT INTO tenant_members (tenant, subject_id) VALUES ($1, $2)', [
      'acme',
      person.id,
    ]);
    const get = (headers: Record<string, string>) => client.get('/v1/tenants/current', { headers });
    expect(await get({ 'X-Tenant': 'acme' })).toMatchObject({ status: 200, body: { name: 'acme' } });
    for (const headers of [{}, { 'X-Tenant': 'other' }])
      expect(await get(headers)).toMatchObject({ status: 403, problem: 'tenant-required' });
  });
});
