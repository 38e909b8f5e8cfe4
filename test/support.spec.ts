import { describe, expect, it } from '@jest/globals';
import { credentials, signIn } from './support/modes/any.js';
import { useServer } from './support/server.js';

describe('the support for tests', () => {
  const context = useServer();

  it.each(credentials)('makes a $name in one line', async ({ mode, of }) => {
    const client = await of(context.server);
    const { status, body } = await client.get('/v1/probes/principal');
    expect({ status, mode: body.mode }).toEqual({ status: 200, mode });
    expect((await client.post('/v1/probes', { note: 'A probe' })).status).toBe(201);
  });

  // room: users
  it('moves the clock', async () => {
    const client = await signIn(await context.server.person());
    await context.server.clock.advance('8d');
    expect((await client.get('/v1/probes/principal')).status).toBe(401);
    await context.server.clock.reset();
  });
  // /room

  it('finds a secret in the log and in a table', async () => {
    const { secrets } = context.server;
    const dataSource = context.server;
    expect(secrets.size).toBeGreaterThan(0);
    const [{ id }] = await context.server.query('SELECT id FROM subjects LIMIT 1');
    const { SecretKeeper } = await import('./support/secret-keeper.js');
    const keeper = new SecretKeeper();
    keeper.keep(id);
    expect(keeper.foundIn(`of ${id}.`)).toEqual([id]);
    expect(await keeper.foundInTables(dataSource)).toContain(`subjects: ${id}`);
  });
});
