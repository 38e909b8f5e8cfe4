import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { apiKeyOf, type KeyClient } from '../../support/modes/api-key.js';
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { findProgram } from '../../support/programs.js';
import { Redis } from '../../support/redis.js';
import { TestServer } from '../../support/server.js';
import { until } from '../../support/until.js';

const binary = findProgram('redis-server');
const GONE = 'Redis is gone: rate limits are counted by each node alone';
const BACK = 'Redis is back: rate limits are shared again';

if (!binary && process.env['REQUIRE_REDIS'] === '1')
  it('Redis is installed here, where REQUIRE_REDIS=1 asks for it', () => {
    expect(binary).toBeDefined();
  });

const name = 'rate limits in Redis';
(binary ? describe : describe.skip)(binary ? name : `${name}, which is not installed here`, () => {
  let redis: Redis;
  let database: TestDatabase;
  let nodes: TestServer[] = [];
  let ada: Person;
  let session: SessionClient;

  beforeAll(async () => {
    redis = await Redis.start(binary!);
    database = await createDatabase();
    const env = { REDIS_URL: redis.url };
    nodes = await Promise.all([1, 2, 3].map(() => TestServer.start({ database, env })));
    ada = await nodes[0]!.person();
    session = await sessionOf(ada);
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

  const keyWith = (requests: number, windowSeconds = 600) =>
    apiKeyOf(ada, ['probes:read'], { rateLimit: { requests, windowSeconds } });
  /** One call with the key to a node. */
  const call = async (key: KeyClient, node: TestServer) =>
    (await node.anonymous.with(key.headers).get('/v1/probes')).status;
  const callAll = async (key: KeyClient, times: number) => {
    const calls = nodes.flatMap((node) => Array.from({ length: times }, () => call(key, node)));
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
      const key = await keyWith(2);
      const statuses: number[] = [];
      for (const node of nodes) statuses.push(await call(key, node));
      // However long it takes, ada has a hundred keys at most.
      await session.delete(`/v1/api-keys/${key.id}`);
      return statuses.join() === '200,200,429';
    });

  it('are one for three nodes, to the request', async () => {
    await shared();
    expect(await callAll(await keyWith(30), 30)).toEqual({ passed: 30, refused: 60 });
  });

  it('count alone where Redis is gone, say so once, and are shared again when it is back', async () => {
    await shared();
    await remember();
    await redis.kill();
    const key = await keyWith(5);
    expect(await callAll(key, 10)).toEqual({ passed: 15, refused: 15 });
    expect(await callAll(key, 3)).toEqual({ passed: 0, refused: 9 });
    expect(await Promise.all(nodes.map((node) => said(node, GONE)))).toEqual([1, 1, 1]);
    await redis.start();
    await shared();
    expect(await callAll(await keyWith(5), 10)).toEqual({ passed: 5, refused: 25 });
    for (const node of nodes) expect([await said(node, GONE), await said(node, BACK)]).toEqual([1, 1]);
    // The password in REDIS_URL is no matter for a log.
    const logs = await Promise.all(nodes.map((node) => node.log()));
    expect(logs.flat().join('')).not.toContain(new URL(redis.url).password);
  });

  it('go on where Redis answers nothing any more', async () => {
    await shared();
    redis.freeze();
    const key = await keyWith(5);
    expect(await callAll(key, 10)).toEqual({ passed: 15, refused: 15 });
    redis.thaw();
    await shared();
  });

  it('go on where Redis takes nothing any more', async () => {
    await shared();
    await redis.command(['CONFIG', 'SET', 'maxmemory', '1']);
    expect(await callAll(await keyWith(5), 10)).toEqual({ passed: 15, refused: 15 });
    await redis.command(['CONFIG', 'SET', 'maxmemory', '0']);
    await shared();
  });

  it('do not keep a server from starting', async () => {
    await redis.kill();
    const late = await TestServer.start({ database, env: { REDIS_URL: redis.url } });
    const key = await keyWith(1);
    expect([await call(key, late), await call(key, late)]).toEqual([200, 429]);
    expect(await said(late, GONE)).toBe(1);
    await late.stop();
    await redis.start();
    await shared();
  });
});
