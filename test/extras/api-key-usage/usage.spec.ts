import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { UsageBatches } from '../../../src/extras/api-key-usage/usage-batches.js';
import { UsageRecorder } from '../../../src/extras/api-key-usage/usage-recorder.js';
import { HousekeepingService } from '../../../src/platform/housekeeping/housekeeping.service.js';
import { createDatabase } from '../../support/databases.js';
import { InProcessServer } from '../../support/in-process.js';
import { apiKeyOf, KeyClient } from '../../support/modes/api-key.js';
// room: oauth
import { exchange } from '../../support/modes/machine.js';
// /room
import { administer, signIn } from '../../support/modes/any.js';
import type { Client } from '../../support/client.js';
import type { Person } from '../../support/person.js';
import { useStarted } from '../../support/server.js';
import { until } from '../../support/until.js';

interface Hour {
  hour: string;
  requests: number;
  byStatus: Record<string, number>;
}

const flush = ({ app }: InProcessServer) => app.get(UsageRecorder, { strict: false }).flush();

describe('GET /v1/api-keys/:id/usage', () => {
  const context = useStarted(() => InProcessServer.start());
  let ada: Person;
  let session: Client;
  let key: KeyClient;
  beforeAll(async () => {
    ada = await context.server.person();
  });
  afterEach(() => {
    context.server.clock.reset();
    jest.restoreAllMocks();
  });

  const start = async (scopes = ['probes:read'], options: Record<string, unknown> = {}) => {
    session = await signIn(ada);
    key = await apiKeyOf(ada, scopes, options);
  };
  const usageOf = async ({ id }: { id: string }, query = ''): Promise<Hour[]> => {
    const { status, body } = await session.get(`/v1/api-keys/${id}/usage${query}`);
    expect(status).toBe(200);
    return body.items;
  };
  const sums = (items: Hour[]) => items.map(({ requests, byStatus }) => [requests, byStatus]);
  const times = async (n: number, call: () => Promise<unknown>) => {
    for (let i = 0; i < n; i += 1) await call();
  };
  /** Until the counts of requests that were answered have been made: it is after the answer. */
  const counted = (n: number) =>
    until(async () => (await usageOf(key)).reduce((sum, { requests }) => sum + requests, 0) === n);

  it('counts by hour and class of status, what was refused too', async () => {
    await start(['probes:read'], { rateLimit: { requests: 9, windowSeconds: 600 } });
    await times(5, () => key.get('/v1/probes'));
    await times(2, () => key.post('/v1/probes', { note: 'Tea' })); // 403
    await times(2, () => key.get('/v1/probes/x')); // 400
    await times(1, () => key.get('/v1/probes')); // 429
    await counted(10);
    const [hour, ...more] = await usageOf(key);
    expect(more).toEqual([]);
    expect(hour).toEqual({
      hour: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:00:00\.000Z$/),
      requests: 10,
      byStatus: { '2xx': 5, '4xx': 5 },
    });
    expect(Date.now() - Date.parse(hour!.hour)).toBeLessThan(2 * 3_600_000);
    const [refused] = await context.server.dataSource.query(
      'SELECT sum(refusals)::int AS n FROM api_key_usage WHERE api_key_id = $1',
      [key.id],
    );
    expect(refused.n).toBe(3);
  });

  // room: oauth
  it('counts what tokens exchanged for the key do, and each exchange', async () => {
    await start();
    const token = await exchange(key);
    await times(3, () => token.get('/v1/probes'));
    await counted(4);
  });
  // /room

  it('counts nothing for whom a key is not known, and nothing for anybody else', async () => {
    await start();
    const rows = async () =>
      (await context.server.dataSource.query('SELECT sum(requests)::int AS n FROM api_key_usage'))[0].n;
    await flush(context.server);
    const before = await rows();
    await key.with({ 'X-API-Key': 'nk_test_x' }).get('/v1/probes');
    await session.get('/v1/probes');
    await context.server.anonymous.get('/health/live');
    await key.get('/v1/probes');
    await counted(1);
    expect(await rows()).toBe(before + 1);
  });

  it('has one item for each hour with requests, oldest first, of the last week unless told', async () => {
    await start();
    const { clock } = context.server;
    const hourOf = () => `${clock.now().toISOString().slice(0, 13)}:00:00.000Z`;
    const hours: string[] = [];
    for (const [later, n] of [
      ['0s', 1],
      ['1h', 2],
      ['6d', 3],
      ['2d', 4],
    ] as const) {
      clock.advance(later);
      session = await signIn(ada);
      await times(n, () => key.get('/v1/probes'));
      hours.push(hourOf());
      await until(async () => (await usageOf(key)).at(-1)?.requests === n);
    }
    const of = (from: string, to?: string) =>
      usageOf(key, `?from=${from}${to === undefined ? '' : `&to=${to}`}`);
    const all = await of(hours[0]!);
    expect(all.map(({ hour, requests }) => [hour, requests])).toEqual(hours.map((hour, i) => [hour, i + 1]));
    expect(sums(await usageOf(key))).toEqual([
      [3, { '2xx': 3 }],
      [4, { '2xx': 4 }],
    ]);
    // The hour that `from` is in counts as a whole, and that of `to` up to its beginning.
    const within = hours[1]!.replace(':00:00.000Z', ':59:59.999Z');
    expect(sums(await of(within, hours[3]))).toEqual([
      [2, { '2xx': 2 }],
      [3, { '2xx': 3 }],
    ]);
  });

  it.each([
    ['from=yesterday', '/from'],
    ['to=2026-01-01', '/to'],
    ['from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z', '/from'],
    ['from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z', '/from'],
    ['from=2020-01-01T00:00:00Z', '/from'],
    ['from=2026-01-01T00:00:00Z&to=2026-04-01T01:00:01Z', '/from'],
    ['from=2026-01-01T00:00:00Z&from=2026-01-02T00:00:00Z', '/from'],
    ['limit=1', '/limit'],
  ])('refuses ?%s', async (query, pointer) => {
    await start();
    const answer = await session.get(`/v1/api-keys/${key.id}/usage?${query}`);
    expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
  });

  it('is for the owner of the key, also after it was revoked', async () => {
    await start();
    await key.get('/v1/probes');
    await counted(1);
    await session.delete(`/v1/api-keys/${key.id}`);
    await counted(1);
    const eve = await signIn(await context.server.person());
    expect((await eve.get(`/v1/api-keys/${key.id}/usage`)).status).toBe(404);
    expect((await session.get('/v1/api-keys/01890000-0000-7000-8000-000000000000/usage')).status).toBe(404);
  });

  it('is shown to administrators of the keys of services, and of no others', async () => {
    await start();
    const admin = await administer(await context.server.administrator());
    const { body: account } = await admin.post('/v1/admin/service-accounts', { name: 'Billing' });
    const path = (owner: string) => `/v1/admin/service-accounts/${owner}/api-keys`;
    const made = await admin.post(path(account.id), { name: 'x', scopes: ['probes:read'] });
    const service = KeyClient.from(context.server.url, context.server.secrets, made);
    await service.get('/v1/probes');
    const usage = async () => sums((await admin.get(`${path(account.id)}/${service.id}/usage`)).body.items);
    await until(async () => (await usage()).length > 0);
    expect(await usage()).toEqual([[1, { '2xx': 1 }]]);
    for (const [owner, of] of [
      [ada.id, key.id],
      [account.id, key.id],
      ['01890000-0000-7000-8000-000000000000', service.id],
    ] as const)
      expect((await admin.get(`${path(owner)}/${of}/usage`)).status).toBe(404);
  });

  it('does not count a batch twice whose answer was lost', async () => {
    await start();
    const batches = context.server.app.get(UsageBatches, { strict: false });
    const write = batches.write.bind(batches);
    jest
      .spyOn(batches, 'write')
      .mockImplementationOnce(async (batch) => {
        await write(batch);
        throw new Error('the answer was lost');
      })
      .mockImplementationOnce(async () => {
        throw new Error('it never arrived');
      });
    await times(3, () => key.get('/v1/probes'));
    // Two that fail, with more in between, and two that do not.
    await flush(context.server);
    await times(2, () => key.get('/v1/probes'));
    await flush(context.server);
    await counted(5);
    const said = context.server
      .entries()
      .filter(({ msg }) => msg === 'could not write the usage of API keys, will try again');
    expect(said.length).toBe(1);
  });

  it('forgets what is counted for an owner who is deleted meanwhile, and nothing else', async () => {
    await start();
    const eve = await context.server.person();
    const theirs = await apiKeyOf(eve, ['probes:read']);
    await flush(context.server);
    await theirs.get('/v1/probes');
    await context.server.dataSource.query('DELETE FROM subjects WHERE id = $1', [eve.id]);
    await key.get('/v1/probes');
    await counted(1);
  });

  it('is written when the server stops', async () => {
    const database = await createDatabase();
    const server = await InProcessServer.start({ database });
    const grace = await server.person();
    const hers = await apiKeyOf(grace, ['probes:read']);
    await times(7, () => hers.get('/v1/probes'));
    await server.stop();
    const later = await InProcessServer.start({ database });
    const [row] = await later.dataSource.query('SELECT sum(requests)::int AS n FROM api_key_usage');
    const [use] = await later.dataSource.query('SELECT last_used_at, last_network FROM api_keys');
    await later.stop();
    await database.drop();
    expect(row.n).toBe(7);
    expect(use).toEqual({ last_used_at: expect.any(Date), last_network: '127.0.0.0/24' });
  });

  it('is kept for 90 days', async () => {
    await start();
    const { server } = context;
    await key.get('/v1/probes');
    await counted(1);
    const rows = async () =>
      (await server.dataSource.query('SELECT 1 FROM api_key_usage WHERE api_key_id = $1', [key.id])).length;
    const writers = async () => (await server.dataSource.query('SELECT 1 FROM usage_writers')).length;
    for (const [later, kept, known] of [
      ['29d', 1, 1],
      ['2d', 1, 0],
      ['58d', 1, 0],
      ['2d', 0, 0],
    ] as const) {
      server.clock.advance(later);
      await server.app.get(HousekeepingService).run();
      expect([later, await rows(), await writers()]).toEqual([later, kept, known]);
    }
  });
});
