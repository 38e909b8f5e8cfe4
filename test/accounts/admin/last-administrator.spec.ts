import { beforeEach, describe, expect, it } from '@jest/globals';
import { atRow, meet } from '../../support/barrier.js';
import type { Client } from '../../support/client.js';
import { administer } from '../../support/modes/any.js';
import type { Person } from '../../support/person.js';
import { expectQuietLog } from '../../support/quiet-log.js';
import { useServer } from '../../support/server.js';

describe('two administrators who are the only ones', () => {
  const context = useServer();
  expectQuietLog(context);
  let people: [Person, Person];
  let clients: [Client, Client];
  beforeEach(async () => {
    const { server } = context;
    await server.query(`UPDATE users SET roles = '{}'`);
    people = [await server.administrator(), await server.administrator()];
    clients = [await administer(people[0]), await administer(people[1])];
  });

  const depose = (by: 0 | 1, whom: 0 | 1) => () =>
    clients[by].put(`/v1/admin/users/${people[whom].id}/roles`, { roles: [] });
  const race = (...requests: Parameters<typeof meet>[2][number][]) =>
    meet(context.server, atRow('users', people[0].id), requests);
  const alive = () =>
    Promise.all(clients.map(async (client) => (await client.get('/v1/probes/principal')).status));

  it('leave one in office if they depose each other', async () => {
    const answers = await race(depose(0, 1), depose(1, 0));
    expect(answers).toMatchObject([{ status: 200 }, { status: 401, problem: 'invalid-credential' }]);
    expect(await alive()).toEqual([200, 401]);
  });

  it('leave one in office if both resign', async () => {
    const answers = await race(depose(0, 0), depose(1, 1));
    expect(answers).toMatchObject([{ status: 200 }, { status: 409, problem: 'last-administrator' }]);
    expect(await alive()).toEqual([401, 200]);
  });

  it.each([
    ['roles', { roles: [] }],
    ['status', { status: 'disabled' }],
  ])('leave one in office if they change the %s of each other at once', async (path, body) => {
    const answers = await Promise.all(
      clients.map((client, i) => client.put(`/v1/admin/users/${people[1 - i]!.id}/${path}`, body)),
    );
    const [won, lost] = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(won).toBe(200);
    // 409 if they met; 401 if the loser was out of office before.
    expect([401, 409]).toContain(lost);
    const [{ n }] = await context.server.query(
      `SELECT count(*)::int AS n FROM users WHERE 'admin' = ANY(roles) AND status = 'active'`,
    );
    expect(n).toBe(1);
  });
});
