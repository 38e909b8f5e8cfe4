import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { impatientSocket, SILENT } from '../../../src/platform/database/impatient-socket.js';

const LIMIT_MS = 50;

describe('an impatient socket', () => {
  const listener = createServer();
  const sockets: Socket[] = [];

  beforeAll(async () => {
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });

  function connect(limitMs: number): Socket {
    const socket = impatientSocket(limitMs);
    sockets.push(socket);
    return socket.connect((listener.address() as AddressInfo).port, '127.0.0.1').resume();
  }

  it('keeps waiting if the answer came while this process was busy', async () => {
    const accepted = once(listener, 'connection');
    const socket = connect(60_000);
    const [peer] = (await accepted) as [Socket];
    sockets.push(peer);
    const answer = once(socket, 'data');
    // After this, timers come before what was received.
    await new Promise((resolve) => setImmediate(resolve));
    peer.write('an answer');
    // Only now: until here a busy machine can hold this process up too.
    socket.setTimeout(LIMIT_MS);
    for (const end = Date.now() + 3 * LIMIT_MS; Date.now() < end;);
    await answer;
    // What the timeout decides, it decides by now.
    await new Promise((resolve) => setImmediate(resolve));
    const { destroyed } = socket;
    socket.destroy();
    expect(destroyed).toBe(false);
  });

  it('ends when nothing was heard for too long', async () => {
    const socket = connect(LIMIT_MS);
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toBe(SILENT);
    expect(socket.destroyed).toBe(true);
  });
});
