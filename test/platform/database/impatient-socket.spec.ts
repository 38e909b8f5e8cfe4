import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { impatientSocket, SILENT } from '../../../src/platform/database/impatient-socket.js';

const LIMIT_MS = 50;

describe('an impatient socket', () => {
  const listener = createServer();
  let socket: Socket;
  let peer: Socket;

  beforeAll(async () => {
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    socket = impatientSocket(LIMIT_MS);
    const accepted = once(listener, 'connection');
    socket.connect((listener.address() as AddressInfo).port, '127.0.0.1').resume();
    [peer] = (await accepted) as [Socket];
  });
  afterAll(() => {
    peer.destroy();
    listener.close();
  });

  it('waits on where the answer came while this process was held up', async () => {
    const answer = once(socket, 'data');
    // After this, timers come before what was received.
    await new Promise((resolve) => setImmediate(resolve));
    peer.write('an answer');
    for (const end = Date.now() + 3 * LIMIT_MS; Date.now() < end;);
    await answer;
    expect(socket.destroyed).toBe(false);
  });

  it('ends when nothing was heard for too long', async () => {
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toBe(SILENT);
    expect(socket.destroyed).toBe(true);
  });
});
