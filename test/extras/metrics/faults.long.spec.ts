import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from '../../support/client.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { credentials } from '../../support/modes/any.js';
import { TestServer, useServer } from '../../support/server.js';
import { until } from '../../support/until.js';
import { Wire } from '../../support/wire.js';
import { scrape } from './scrape.js';

describe('the metrics of a server that has lost its database', () => {
  const [{ of, mode }] = credentials as [(typeof credentials)[0]];
  let database: TestDatabase;
  let wire: Wire;
  let server: TestServer;
  let client: Client;

  beforeAll(async () => {
    database = await createDatabase();
    wire = await Wire.before(database.url);
    server = await TestServer.start({ database: { url: wire.url.href }, env: { METRICS_PORT: '0' } });
    client = await of(server);
  });
  afterAll(async () => {
    await server.stop();
    wire.close();
    await database.drop();
  });

  it('can be read, and tell that the feed is lost and that credentials cannot be checked', async () => {
    wire.cut('closed');
    await until(async () => (await scrape(server)).total('revocation_feed_connected') === 0);
    expect((await client.get('/v1/probes/principal')).status).toBe(503);
    const { total } = await scrape(server);
    expect(total('revocation_feed_lag_seconds')).toBe(Infinity);
    expect(total('revocation_feed_trusted')).toBe(0);
    expect(total('authentications_total', { mode, result: 'error' })).toBe(1);
    expect(total('http_request_duration_seconds_count', { status: '5xx' })).toBeGreaterThan(0);
    wire.mend();
    await until(async () => (await scrape(server)).total('revocation_feed_trusted') === 1);
  });
});

describe('the metrics of a server that is overloaded', () => {
  const context = useServer({
    env: { METRICS_PORT: '0' },
    fixture: 'test/web/http/overload.fixture.ts#busy',
  });

  it('count each refused request', async () => {
    const { server } = context;
    const busy = (ms: number) => `GET /health/live HTTP/1.1\r\nHost: x\r\nX-Busy: ${ms}\r\n\r\n`;
    let texts: string[] = [];
    const refused = () => texts.join('\n').split('HTTP/1.1 503').length - 1;
    // On a busy machine, the requests can arrive too slowly for one turn to read them all.
    for (let sent = 0; refused() === 0; sent = 0) {
      texts = Array<string>(65).fill('');
      const sockets = Array.from({ length: 65 }, (_, i) => {
        const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
        const requests = i === 0 ? 1 : 16;
        sent += requests;
        socket.setEncoding('latin1').on('data', (chunk: string) => (texts[i] += chunk));
        socket.on('connect', () => socket.write(i === 0 ? busy(500) : busy(1).repeat(requests)));
        return socket;
      });
      await until(() => texts.join('').split('HTTP/1.1 ').length - 1 === sent);
      for (const socket of sockets) socket.destroy();
    }
    expect((await scrape(server)).total('http_requests_overloaded_total')).toBe(refused());
  });
});
