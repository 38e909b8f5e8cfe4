import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RequestLimits } from '../../../src/platform/database/data-source.options.js';
import type { Client } from '../../support/client.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { InProcessServer } from '../../support/in-process.js';
import { anyone } from '../../support/modes/any.js';
import { until } from '../../support/until.js';
import { Wire } from '../../support/wire.js';

describe('a server whose connections to the database go silent', () => {
  let database: TestDatabase;
  let wire: Wire;
  let server: InProcessServer;
  let client: Client;
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown) => unhandled.push(reason);

  beforeAll(async () => {
    process.on('unhandledRejection', onUnhandled);
    database = await createDatabase();
    wire = await Wire.before(database.url);
    server = await InProcessServer.start({
      database: { ...database, url: wire.url.href },
      // The idle ones stay, to be found silent; and every request asks.
      overrides: [new RequestLimits(3_000, 60_000)],
      env: { DATABASE_LISTEN_URL: database.url, CREDENTIAL_CACHE_TTL: '0ms', DATABASE_POOL_SIZE: '4' },
    });
    client = await anyone(server);
  });
  afterAll(async () => {
    await server.stop();
    wire.close();
    await database.drop();
    process.off('unhandledRejection', onUnhandled);
  });

  it('answers 503 to requests over a silent connection, and never uses it again', async () => {
    expect((await client.get('/v1/probes')).status).toBe(200);
    wire.stall();
    // What waits over the silent ones, and what finds no other.
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => client.get('/v1/probes')));
    expect(answers.map(({ problem }) => problem)).toEqual(answers.map(() => 'database-unavailable'));
    wire.mend();
    for (let i = 0; i < 6; i += 1) expect((await client.get('/v1/probes')).status).toBe(200);
  });

  it('answers 503 if a connection goes silent in the middle of a transaction', async () => {
    const runner = server.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query('LOCK TABLE probes IN EXCLUSIVE MODE');
    const answer = client.post('/v1/probes', { note: 'A probe' });
    wire.stall();
    expect((await answer).problem).toBe('database-unavailable');
    await runner.release();
    wire.mend();
    // Each silent connection fails one request at most.
    await until(async () => (await client.get('/v1/probes')).status === 200);
  });

  it('does not end a long query while data arrives', async () => {
    const slowly = `SELECT repeat('x', 9000), pg_sleep(0.3) FROM generate_series(1, 13)`;
    expect(await server.dataSource.query(slowly)).toHaveLength(13);
  });

  it('leaves no rejection unhandled', () => {
    expect(unhandled).toEqual([]);
  });
});
