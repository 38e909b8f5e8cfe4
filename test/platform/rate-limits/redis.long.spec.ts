import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { findProgram } from '../../support/programs.js';
import { Redis } from '../../support/redis.js';
import { TestServer } from '../../support/server.js';
import { until } from '../../support/until.js';

const binary = findProgram('redis-server');
const GONE = 'Redis is unavailable: each node counts rate limits on its own';
const BACK = 'Redis is available again: nodes share rate limits';

if (!binary && process.env['REQUIRE_REDIS'] === '1')
  it('has Redis if REQUIRE_REDIS=1 requires it', () => {
    expect(binary).toBeDefined();
  });

const name = 'rate limits in Redis';
(binary ? describe : describe.skip)(binary ? name : `${name}, which is not installed here`, () => {
  let redis: Redis;
  let database: TestDatabase;
  let nodes: TestServer[] = [];

  beforeAll(async () => {
    redis = await Redis.start(binary!);
    database = await createDatabase();
    nodes = await Promise.all([1, 2, 3].map(start));
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await database.drop();
    await redis.stop();
  });
  /** How many entries each node had logged before what is looked at. */
  let logged: number[] = [];
  const remember = async () => {
    logged = await Promise.all(nodes.map(async (node) => (await node.log()).length));
  };
  beforeEach(remember);

  const start = () =>
    TestServer.start({
      database,
      fixture: 'test/platform/rate-limits/rate-limits.fixture.ts#shared',
      env: { REDIS_URL: redis.url, TRUSTED_PROXIES: 'loopback' },
    });
  /** A client that has not called yet, and the limit of the route that it calls. */
  let addresses = 0;
  const caller = (requests: 1 | 2 | 5 | 30) => ({
    address: `2001:db8:0:${(++addresses).toString(16)}::1`,
    requests,
  });
  type Caller = ReturnType<typeof caller>;
  const call = async ({ address, requests }: Caller, node: TestServer) =>
    (await node.anonymous.with({ 'X-Forwarded-For': address }).get(`/shared/${requests}`)).status;
  const callAll = async (by: Caller, times: number) => {
    const calls = nodes.flatMap((node) => Array.from({ length: times }, () => call(by, node)));
    const answers = await Promise.all(calls);
    return {
      passed: answers.filter((s) => s === 200).length,
      refused: answers.filter((s) => s === 429).length,
    };
  };
  const said = async (node: TestServer, message: string) =>
    (await node.entries()).slice(logged[nodes.indexOf(node)] ?? 0).filter(({ msg }) => msg === message)
      .length;
  /** Until a node counts with the others again: what it counts alone, the others do not know of. */
  const shared = () =>
    until(async () => {
      const by = caller(2);
      const statuses: number[] = [];
      for (const node of nodes) statuses.push(await call(by, node));
      return statuses.join() === '200,200,429';
    });

  it('are one for three nodes, to the request', async () => {
    await shared();
    expect(await callAll(caller(30), 30)).toEqual({ passed: 30, refused: 60 });
  });

  it('count alone if Redis is gone, log it once, and are shared again when it is back', async () => {
    await shared();
    await remember();
    await redis.kill();
    const by = caller(5);
    expect(await callAll(by, 10)).toEqual({ passed: 15, refused: 15 });
    expect(await callAll(by, 3)).toEqual({ passed: 0, refused: 9 });
    expect(await Promise.all(nodes.map((node) => said(node, GONE)))).toEqual([1, 1, 1]);
    await redis.start();
    await shared();
    expect(await callAll(caller(5), 10)).toEqual({ passed: 5, refused: 25 });
    for (const node of nodes) expect([await said(node, GONE), await said(node, BACK)]).toEqual([1, 1]);
    // The password in REDIS_URL is no matter for a log.
    const logs = await Promise.all(nodes.map((node) => node.log()));
    expect(logs.flat().join('')).not.toContain(new URL(redis.url).password);
  });

  it('still work if Redis does not answer', async () => {
    await shared();
    redis.freeze();
    const by = caller(5);
    expect(await callAll(by, 10)).toEqual({ passed: 15, refused: 15 });
    redis.thaw();
    await shared();
  });

  it('still work if Redis accepts no writes', async () => {
    await shared();
    await redis.command(['CONFIG', 'SET', 'maxmemory', '1']);
    expect(await callAll(caller(5), 10)).toEqual({ passed: 15, refused: 15 });
    await redis.command(['CONFIG', 'SET', 'maxmemory', '0']);
    await shared();
  });

  it('let a server start without Redis', async () => {
    await redis.kill();
    const late = await start();
    const by = caller(1);
    expect([await call(by, late), await call(by, late)]).toEqual([200, 429]);
    expect(await said(late, GONE)).toBe(1);
    await late.stop();
    await redis.start();
    await shared();
  });
});
