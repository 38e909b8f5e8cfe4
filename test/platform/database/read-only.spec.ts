import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from '../../support/client.js';
import { createDatabase, type TestDatabase, urlOf } from '../../support/databases.js';
import { sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { PASSWORD, TestServer } from '../../support/server.js';

const CONNECTIONS = 4;

describe('a server whose connections lead to a database that takes no writes', () => {
  let database: TestDatabase;
  let server: TestServer;
  let admin: pg.Client;
  let name: string;
  let ada: Person;
  let client: Client;

  beforeAll(async () => {
    database = await createDatabase();
    name = new URL(database.url).pathname.slice(1);
    admin = new pg.Client({ connectionString: urlOf(database.url, 'postgres') });
    await admin.connect();
    server = await TestServer.start({ database, env: { DATABASE_POOL_SIZE: String(CONNECTIONS) } });
    ada = await server.person();
    client = await sessionOf(ada);
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
  const order = () => client.post('/v1/probes', { note: 'Tea' });
  const signIn = () => server.anonymous.post('/v1/sessions', { email: ada.email, password: PASSWORD });

  /** All connections of the pool are open, and read-only; the next ones are not. */
  async function leaveReadOnlyConnections(): Promise<void> {
    await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await endConnections();
    const readers = Array.from({ length: CONNECTIONS }, () => server.query('SELECT pg_sleep(0.2)'));
    await Promise.allSettled(readers);
    await admin.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
  }

  it('answers 503 with Retry-After to what writes, within a transaction and without, and is not ready', async () => {
    await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await endConnections();
    for (const request of [order, signIn, ready]) {
      const { status, problem, headers } = await request();
      expect([status, problem, headers.get('retry-after')]).toEqual([503, 'database-unavailable', '1']);
    }
    await admin.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
  });

  it('uses no connection again that refused a write: each fails once at most', async () => {
    await leaveReadOnlyConnections();
    const statuses: number[] = [];
    for (let i = 0; i <= CONNECTIONS; i += 1) statuses.push((await order()).status);
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
