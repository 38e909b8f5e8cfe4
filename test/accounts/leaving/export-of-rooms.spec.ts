import { describe, expect, it } from '@jest/globals';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { opaqueOf } from '../../support/modes/opaque.js';
import { sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { useServer } from '../../support/server.js';

describe('the export of a person', () => {
  const context = useServer();

  const use = async (person: Person) => {
    const session = await sessionOf(person);
    const key = await apiKeyOf(person, ['probes:read'], { name: `Key of ${person.email}` });
    await jwtOf(person);
    await opaqueOf(person);
    // room: recovery
    await session.put('/v1/users/me/email', { email: `new-${person.email}` });
    // /room
    // room: orders
    await session.post('/v1/orders', { item: `Tea for ${person.email}`, quantity: 2 });
    // /room
    return { session, key };
  };

  it('has what each room stores about the person, and nothing about another', async () => {
    const { server } = context;
    const [ada, bob] = [await server.person(), await server.person()];
    const { session, key } = await use(ada);
    await use(bob);
    const { body } = await session.get('/v1/users/me/export');
    expect(body).toMatchObject({
      apiKeys: [{ id: key.id, name: `Key of ${ada.email}`, scopes: ['probes:read'], revokedAt: null }],
      tokenGrants: [{ format: 'jwt' }, { format: 'opaque' }],
      refreshTokens: [{ usedAt: null }, { usedAt: null }],
      accessTokens: [{ clientId: 'first-party' }],
      // room: recovery
      emailChanges: [{ oldEmail: ada.email, newEmail: `new-${ada.email}`, confirmedAt: null }],
      // /room
      // room: orders
      orders: [{ item: `Tea for ${ada.email}`, quantity: 2 }],
      // /room
    });
    expect(JSON.stringify(body)).not.toContain(bob.email);
    expect(JSON.stringify(body)).not.toMatch(/hash|argon2|sealed|"Buffer"/i);
    expect(server.secrets.foundIn(JSON.stringify(body))).toEqual([]);
  });
});
