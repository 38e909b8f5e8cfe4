import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { Node } from '../support/nodes.js';
import { send } from '../support/raw-http.js';
import { until } from '../support/until.js';

describe('a server that is stopped', () => {
  let database: TestDatabase;
  let node: Node;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterEach(() => node.stop());
  afterAll(() => database.drop());

  const start = async (drainTime: string) => {
    node = await Node.start({ DATABASE_URL: database.url, DRAIN_TIME: drainTime });
  };
  const ask = (path: string) => send(node.url, 'GET', path);
  const isRefused = () =>
    ask('/health/live').then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
    );

  it('is not ready first, and answers until the drain time is over', async () => {
    await start('6s');
    expect((await ask('/health/ready')).status).toBe(200);
    const stopped = performance.now();
    node.child.kill('SIGTERM');
    await until(async () => (await ask('/health/ready')).status === 503);
    const { headers, problem } = await ask('/health/ready');
    expect([problem, headers['retry-after']]).toEqual(['shutting-down', '1']);
    expect((await ask('/health/live')).status).toBe(200);
    expect((await ask('/v1/whoami')).problem).toBe('credential-required');
    expect(await node.exited).toBe(0);
    expect(performance.now() - stopped).toBeGreaterThan(5_900);
  });

  it.each([
    ['/v1/whoami', 'application/problem+json; charset=utf-8'],
    ['/v1/nowhere', 'application/problem+json; charset=utf-8'],
    ['/oauth/token', 'application/json; charset=utf-8'],
  ])(
    'refuses a request for %s that arrives while it closes, as %s with an id, and ends',
    async (path, type) => {
      await start('0s');
      const socket = connect(Number(new URL(node.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\n`);
      // The server has the first lines before it is told to stop.
      await ask('/health/live');
      node.child.kill('SIGTERM');
      await until(isRefused);
      socket.write('Content-Length: 0\r\n\r\n');
      const answer = await text(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 503 /);
      for (const header of [/retry-after: 1\r/i, /x-request-id: [0-9a-f-]{36}\r/i, /connection: close\r/i])
        expect(answer).toMatch(header);
      expect(answer.toLowerCase()).toContain(`content-type: ${type}`);
      expect(await node.exited).toBe(0);
    },
  );
});
