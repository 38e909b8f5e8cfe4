import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { Node } from '../support/nodes.js';
import { send } from '../support/raw-http.js';
import { until } from '../support/until.js';

const PATHS = [
  ['/health/live', 'application/problem+json; charset=utf-8'],
  ['/v1/nowhere', 'application/problem+json; charset=utf-8'],
  // room: oauth
  ['/oauth/token', 'application/json; charset=utf-8'],
  // /room
] as const;

describe('a server that is stopped', () => {
  let database: TestDatabase;
  let node: Node;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterEach(() => node.stop());
  afterAll(() => database.drop());

  const isRefused = () =>
    send(node.url, 'GET', '/health/live').then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
    );

  it('refuses requests that arrive while it closes, in the form of their paths, and ends', async () => {
    node = await Node.start({ DATABASE_URL: database.url, DRAIN_TIME: '0s' });
    const requests: [Socket, type: string][] = [];
    for (const [path, type] of PATHS) {
      const socket = connect(Number(new URL(node.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\n`);
      requests.push([socket, type]);
    }
    // The server has the first lines before it is told to stop.
    await send(node.url, 'GET', '/health/live');
    node.child.kill('SIGTERM');
    await until(isRefused);
    for (const [socket, type] of requests) {
      socket.write('Content-Length: 0\r\n\r\n');
      const answer = await text(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 503 /);
      for (const header of [/retry-after: 1\r/i, /x-request-id: [0-9a-f-]{36}\r/i, /connection: close\r/i])
        expect(answer).toMatch(header);
      expect(answer.toLowerCase()).toContain(`content-type: ${type}`);
    }
    expect(await node.exited).toBe(0);
  });
});
