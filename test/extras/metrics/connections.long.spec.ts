import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { useServer } from '../../support/server.js';
import { until } from '../../support/until.js';
import { metricsUrl, scrape } from './scrape.js';

const MOST = 50;
const FURTHER = 10;
const PATIENCE_MS = 10_000;

describe('connections to METRICS_PORT', () => {
  const context = useServer({ env: { METRICS_PORT: '0' } });
  let sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
  });

  const open = async (count: number) => {
    const { port, hostname } = new URL(await metricsUrl(context.server));
    sockets = Array.from({ length: count }, () => connect(Number(port), hostname).on('error', () => {}));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const socket of sockets) socket.resume();
    return sockets;
  };

  it('are limited, and take none from the API', async () => {
    const opened = await open(MOST + FURTHER);
    await until(() => opened.filter(({ closed }) => closed).length >= FURTHER);
    expect((await context.server.anonymous.get('/health/live')).status).toBe(200);
    expect(opened.filter(({ closed }) => closed)).toHaveLength(FURTHER);
    for (const socket of opened) socket.destroy();
    await until(async () => (await scrape(context.server).catch(() => undefined)) !== undefined);
  });

  it.each(['', 'GET /metrics HTTP/1.1\r\nHost: a\r\n'])(
    'end if the request does not arrive in time, after %j',
    async (start) => {
      const [socket] = await open(1);
      const began = performance.now();
      socket!.write(start);
      await once(socket!, 'close');
      const waited = performance.now() - began;
      expect(waited).toBeGreaterThan(PATIENCE_MS - 1_000);
      // Node itself waits for a minute.
      expect(waited).toBeLessThan(6 * PATIENCE_MS);
    },
  );
});
