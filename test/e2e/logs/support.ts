import { describe, expect, it } from '@jest/globals';
import { useServer } from '../../support/server.js';

describe('the support for tests', () => {
  const context = useServer();

  it('signs a person in by every mode in one line', async () => {
    const ada = await context.server.person();
    for (const client of [await ada.session(), await ada.jwt(), await ada.apiKey(['orders:read'])]) {
      const { status, body } = await client.get('/v1/whoami');
      expect({ status, subject: body.subject }).toEqual({ status: 200, subject: ada.id });
    }
  });

  it('moves the clock', async () => {
    const session = await (await context.server.person()).session();
    context.server.clock.advance('8d');
    expect((await session.get('/v1/whoami')).status).toBe(401);
    context.server.clock.reset();
  });

  it('finds a secret in the log and in a table', async () => {
    const { secrets, dataSource } = context.server;
    expect(secrets.size).toBeGreaterThan(4);
    const ada = await context.server.person();
    const { SecretKeeper } = await import('../../support/secret-keeper.js');
    const keeper = new SecretKeeper();
    keeper.keep(ada.email);
    expect(keeper.foundIn(`to ${ada.email}.`)).toEqual([ada.email]);
    expect(await keeper.foundInTables(dataSource)).toEqual([`users: ${ada.email}`]);
  });
});
