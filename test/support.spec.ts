import { describe, expect, it } from '@jest/globals';
import { apiKeyOf } from './support/modes/api-key.js';
import { jwtOf } from './support/modes/jwt.js';
import { sessionOf } from './support/modes/session.js';
import { useServer } from './support/server.js';

describe('the support for tests', () => {
  const context = useServer();

  it('signs a person in by every mode in one line', async () => {
    const ada = await context.server.person();
    for (const client of [await sessionOf(ada), await jwtOf(ada), await apiKeyOf(ada, ['probes:read'])]) {
      const { status, body } = await client.get('/v1/probes/principal');
      expect({ status, subject: body.subject }).toEqual({ status: 200, subject: ada.id });
    }
  });

  it('moves the clock', async () => {
    const session = await sessionOf(await context.server.person());
    await context.server.clock.advance('8d');
    expect((await session.get('/v1/probes/principal')).status).toBe(401);
    await context.server.clock.reset();
  });

  it('finds a secret in the log and in a table', async () => {
    const { secrets } = context.server;
    const dataSource = context.server;
    expect(secrets.size).toBeGreaterThan(4);
    const ada = await context.server.person();
    const { SecretKeeper } = await import('./support/secret-keeper.js');
    const keeper = new SecretKeeper();
    keeper.keep(ada.email);
    expect(keeper.foundIn(`to ${ada.email}.`)).toEqual([ada.email]);
    expect(await keeper.foundInTables(dataSource)).toEqual([`users: ${ada.email}`]);
  });
});
