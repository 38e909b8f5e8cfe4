import { describe, expect, it } from '@jest/globals';
import type { Client } from '../../support/client.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { exchange } from '../../support/modes/machine.js';
import { opaqueOf } from '../../support/modes/opaque.js';
import { sessionOf } from '../../support/modes/session.js';
import { useServer } from '../../support/server.js';

const PATH = '/v1/users/me';

describe('the deletion of an account', () => {
  const context = useServer();
  const statusOf = async (client: Client) => (await client.get('/v1/probes/principal')).status;

  it('[V7.4.2] ends every credential at once, also those that a node remembers', async () => {
    const { server } = context;
    const ada = await server.person();
    const key = await apiKeyOf(ada, ['profile:read']);
    const token = await jwtOf(ada);
    const all = [await sessionOf(ada), token, await opaqueOf(ada), key, await exchange(key)];
    for (const client of all) expect(await statusOf(client)).toBe(200);
    expect((await (await sessionOf(ada)).delete(PATH)).status).toBe(204);
    for (const client of all) expect(await statusOf(client)).toBe(401);
    const refresh = { refreshToken: token.refreshToken };
    expect((await server.anonymous.post('/v1/tokens/refresh', refresh)).status).toBe(401);
  });

  it('by token ends the token', async () => {
    const ada = await context.server.person();
    const token = await jwtOf(ada);
    expect((await token.delete(PATH)).status).toBe(204);
    expect(await statusOf(token)).toBe(401);
    expect(await context.server.query('SELECT 1 FROM users WHERE id = $1', [ada.id])).toEqual([]);
  });

  // room: service-account-admin
  it('keeps a service account that the person made', async () => {
    const { server } = context;
    const [session, other] = [
      await sessionOf(await server.administrator()),
      await sessionOf(await server.administrator()),
    ];
    const { id } = (await session.post('/v1/admin/service-accounts', { name: 'Billing' })).body;
    expect((await session.delete(PATH)).status).toBe(204);
    const { items } = (await other.get('/v1/admin/service-accounts')).body;
    expect(items).toContainEqual(expect.objectContaining({ id, createdBy: null }));
  });
  // /room
});
