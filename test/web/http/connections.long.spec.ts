import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { Node } from '../../support/nodes.js';

const MB = 1_000_000;
const clients: Socket[] = [];

/** A connection. It reads nothing by itself. */
async function open(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  clients.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const requests = (count: number, path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(count);

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

describe('a connection to the built server', () => {
  let database: TestDatabase;
  let node: Node;
  beforeAll(async () => {
    database = await createDatabase();
    node = await Node.start({ DATABASE_URL: database.url, LOG_LEVEL: 'warn' });
  });
  afterAll(async () => {
    await node.stop();
    await database.drop();
  });

  const residentBytes = () =>
    1024 * Number(execFileSync('ps', ['-o', 'rss=', '-p', String(node.pid)]).toString());

  /** Pipelines requests on some connections, reads nothing, and returns by how much the process has grown at most. */
  async function growth(connections: number, count: number, path: string): Promise<number> {
    const warm = await fetch(node.url + path);
    await warm.arrayBuffer();
    const before = residentBytes();
    const sockets = await Promise.all(Array.from({ length: connections }, () => open(node.url)));
    let most = 0;
    const answered = sockets.map((socket) => once(socket, 'readable'));
    for (const socket of sockets) socket.write(requests(count, path));
    await Promise.all(answered);
    for (let i = 0; i < 10; i += 1) {
      await fetch(`${node.url}/health/live`);
      most = Math.max(most, residentBytes() - before);
      await sleep(50);
    }
    for (const socket of sockets) socket.destroy();
    return most;
  }

  it.each(['/docs/swagger-ui-bundle.js', '/openapi.json', '/problems/not-found'])(
    'costs little memory when a client pipelines many requests for %s and reads no answer',
    async (path) => {
      expect(await growth(1, 400, path)).toBeLessThan(100 * MB);
      expect(await growth(20, 100, path)).toBeLessThan(100 * MB);
    },
  );

  describe('is closed after 30 s', () => {
    /** Seconds until the server closes the connection, while `every` is done again and again. */
    async function secondsUntilClosed(socket: Socket, every: () => unknown): Promise<number> {
      const begin = performance.now();
      while (!socket.closed) {
        every();
        await sleep(500);
      }
      return (performance.now() - begin) / 1000;
    }
    const answerOf = (socket: Socket) => {
      let text = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
      return () => text;
    };

    // Together, since each takes its time. Node by itself looks for such connections every 30 s.
    it('if the headers, the body or the reading of the answers do not end', async () => {
      const [headers, body, unread, slow] = [
        await open(node.url),
        await open(node.url),
        await open(node.url),
        await open(node.url),
      ];
      const [ofHeaders, ofBody] = [answerOf(headers), answerOf(body)];
      headers.write('GET / HTTP/1.1\r\nHost: x\r\n');
      body.write('POST /v1/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n');
      body.write('Content-Length: 100000\r\n\r\n');
      for (const socket of [unread, slow]) socket.write(requests(16, '/docs/swagger-ui-bundle.js'));
      const seconds = await Promise.all([
        secondsUntilClosed(headers, () => headers.write('X')),
        secondsUntilClosed(body, () => body.write(' ')),
        // By writing it learns that nobody is there; the server does not read it.
        secondsUntilClosed(unread, () => {
          slow.read();
          unread.write('\r\n');
        }),
      ]);
      for (const elapsed of seconds) {
        expect(elapsed).toBeGreaterThan(29);
        expect(elapsed).toBeLessThan(45);
      }
      for (const answer of [ofHeaders(), ofBody()]) {
        expect(answer).toMatch(/^HTTP\/1\.1 408 /);
        expect(answer).toContain('/problems/request-timeout');
      }
      expect(slow.closed).toBe(false);
    }, 120_000);
  });
});
