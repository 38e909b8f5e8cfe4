import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { useServer } from '../../support/server.js';
import { until } from '../../support/until.js';
import type { Gate } from './connections.fixture.js';

const clients: Socket[] = [];

async function open(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  clients.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const requests = (count: number) => 'GET /v1/held HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(count);

describe('the requests of one connection', () => {
  const context = useServer({ fixture: 'test/web/http/connections.fixture.ts#held' });
  const gate = () => context.server.provider<Gate>('Gate');
  const isAlive = async () => (await context.server.anonymous.get('/health/live')).status === 200;
  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
  });

  it('are answered 16 at a time, all of them and in order', async () => {
    await gate().close();
    const socket = await open(context.server.url);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.write(requests(100));
    await until(async () => (await gate().counts()).now === 16);
    // Another connection does not wait.
    expect(await isAlive()).toBe(true);
    await gate().open();
    await until(() => text.includes('{"number":100}'));
    expect((await gate().counts()).most).toBe(16);
    const numbers = [...text.matchAll(/\{"number":(\d+)\}/g)].map(([, number]) => Number(number));
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    socket.write(requests(1));
    await until(() => text.includes('{"number":101}'));
  });

  it('end it if more than a thousand of them wait', async () => {
    await gate().close();
    const socket = await open(context.server.url);
    socket.resume().write(requests(3_000));
    await until(() => socket.closed);
    expect((await gate().counts()).most).toBe(16);
    await gate().open();
    expect(await isAlive()).toBe(true);
  });
});
