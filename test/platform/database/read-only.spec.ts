import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from '../../support/client.js';
import { createDatabase, type TestDatabase, urlOf } from '../../support/databases.js';
import { anyone, signIns } from '../../support/modes/any.js';
import { PASSWORD, TestServer } from '../../support/server.js';

const CONNECTIONS = 4;

describe('a server whose connections lead to a database that takes no writes', () => {
  let database: TestDatabase;
  let server: TestServer;
  let admin: pg.Client;
  let name: string;
  let client: Client;

  beforeAll(async () => {
    database = await createDatabase();
    name = new URL(database.url).pathname.slice(1);
    admin = new pg.Client({ connectionString: urlOf(database.url, 'postgres') });
    await admin.connect();
    server = await TestServer.start({ database, env: { DATABASE_POOL_SIZE: String(CONNECTIONS) } });
    client = await anyone(server);
  });
  afterAll(async () => {
    await admin.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
    await server.stop();
    await admin.end();
    await database.drop();
  });

  const endConnections = () =>
    admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = $1 AND backend_type = 'client backend'`, // not autovacuum, which is the superuser's
      [name],
    );
  const ready = () => server.anonymous.get('/health/ready');
  const write = () => client.post('/v1/probes', { note: 'Tea' });

  /** All connections of the pool are open, and read-only; the next ones are not. */
  async function leaveReadOnlyConnections(): Promise<void> {
    await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await endConnections();
    const readers = Array.from({ length: CONNECTIONS }, () => server.query('SELECT pg_sleep(0.2)'));
    await Promise.allSettled(readers);
    await admin.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
  }

  it('answers 503 with Retry-After to requests that write, in a transaction or not, and is not ready', async () => {
    const writers = [write, ready];
    // room: sign-ins
    const { email } = await server.person();
    const { path, fields } = signIns[0]!;
    writers.push(() => server.anonymous.post(path, { email, password: PASSWORD, ...fields }));
    // /room
    await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await endConnections();
    for (const request of writers) {
      const { status, problem, headers } = await request();
      expect([status, problem, headers.get('retry-after')]).toEqual([503, 'database-unavailable', '1']);
    }
    await admin.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
  });

  it('never reuses a connection that refused a write: each fails at most once', async () => {
    await leaveReadOnlyConnections();
    const statuses: number[] = [];
    for (let i = 0; i <= CONNECTIONS; i += 1) statuses.push((await write()).status);
    expect(statuses.at(-1)).toBe(201);
    expect(new Set(statuses)).toEqual(new Set([503, 201]));
  });

  it('becomes ready again without a request that writes', async () => {
    await leaveReadOnlyConnections();
    const statuses: number[] = [];
    for (let i = 0; i <= CONNECTIONS; i += 1) statuses.push((await ready()).status);
    expect(statuses.at(-1)).toBe(200);
    expect(statuses[0]).toBe(503);
  });
});
