import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const TOGETHER = 100;

/** Opens connections that have had an answer, and keeps them open. */
export async function idleConnections(url: string, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: TOGETHER }, async () => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(socket, 'data');
      return socket.on('error', () => undefined);
    });
    sockets.push(...(await Promise.all(some)));
  }
  return sockets;
}
