import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { TestServer } from '../../support/server.js';
import { until } from '../../support/until.js';
import { Wire } from '../../support/wire.js';

describe('readiness', () => {
  let database: TestDatabase;
  /** Carries the connections of the pool. */
  let wire: Wire;
  /** Carries the connection that listens. */
  let feed: Wire;
  let server: TestServer;

  beforeAll(async () => {
    database = await createDatabase();
    wire = await Wire.before(database.url);
    feed = await Wire.before(database.url);
    server = await TestServer.start({
      database: { url: wire.url.href },
      env: { DATABASE_LISTEN_URL: feed.url.href },
    });
  });
  afterAll(async () => {
    await server.stop();
    wire.close();
    feed.close();
    await database.drop();
  });

  const ready = () => server.anonymous.get('/health/ready');
  /** The status, the problem and the failing parts of an answer. */
  async function refusal() {
    const { status, problem, headers, body } = await ready();
    const text = JSON.stringify(body.failing);
    expect(text).not.toMatch(/postgres|127\.0\.0\.1|SELECT|\d{6}/);
    expect(headers.get('retry-after')).toBe('1');
    return [status, problem, ...body.failing.map(({ part }: { part: string }) => part)];
  }
  const isReady = async () => JSON.stringify((await ready()).body) === '{"status":"ok"}';

  /** Undoes what `work` has changed, and waits until the server is ready again. */
  async function during(change: string, undo: string, work: () => Promise<unknown>): Promise<void> {
    await server.query(change);
    try {
      await work();
    } finally {
      await server.query(undo);
    }
    await until(isReady);
  }

  it('answers 200 if nothing fails', async () => {
    expect(await isReady()).toBe(true);
  });

  it('names the database if it cannot be reached', async () => {
    wire.cut('closed');
    try {
      expect(await refusal()).toEqual([503, 'database-unavailable', 'database']);
    } finally {
      wire.mend();
    }
    await until(isReady);
  });

  it('names the migrations if the schema lacks one of them', async () => {
    const [{ id, name, timestamp }] = await server.query('SELECT * FROM migrations ORDER BY id DESC LIMIT 1');
    const undo = `INSERT INTO migrations (id, name, timestamp) VALUES (${id}, '${name}', ${timestamp})`;
    await during(`DELETE FROM migrations WHERE id = ${id}`, undo, async () => {
      expect(await refusal()).toEqual([503, 'not-ready', 'migrations']);
    });
  });

  it('names the migrations if a table is missing', () =>
    during('ALTER TABLE revocations RENAME TO hidden', 'ALTER TABLE hidden RENAME TO revocations', async () =>
      expect(await refusal()).toEqual([503, 'not-ready', 'migrations']),
    ));

  // room: jwt
  const KEYS_CHANGED = `SELECT pg_notify('revocations', '[["signing-key","changed",null]]')`;

  it('names the signing key if none is active, and every other failing part', async () => {
    await server.query('CREATE TABLE kept AS SELECT * FROM signing_keys');
    await server.query('CREATE TABLE done AS SELECT * FROM migrations ORDER BY id DESC LIMIT 1');
    await during(
      `DELETE FROM signing_keys; DELETE FROM migrations WHERE id = (SELECT id FROM done); ${KEYS_CHANGED}`,
      `INSERT INTO signing_keys SELECT * FROM kept; INSERT INTO migrations SELECT * FROM done; DROP TABLE kept, done; ${KEYS_CHANGED}`,
      async () => {
        await until(async () => (await refusal()).includes('signing-key'));
        expect(await refusal()).toEqual([503, 'not-ready', 'migrations', 'signing-key']);
      },
    );
  });
  // /room

  it('names the feed as degraded if it is lost, because requests still get right answers', async () => {
    feed.cut('closed');
    const degraded = async () => (await ready()).body.degraded?.map(({ part }: { part: string }) => part);
    await until(async () => (await degraded()) !== undefined);
    const { status, body } = await ready();
    expect([status, body.status, await degraded()]).toEqual([200, 'ok', ['revocation-feed']]);
    feed.mend();
    await until(isReady);
  });

  it('logs each change once, with its reason', async () => {
    const entries = async () => (await server.entries()).filter(({ msg }) => msg === 'not ready');
    const before = (await entries()).length;
    await during(
      'ALTER TABLE revocations RENAME TO hidden',
      'ALTER TABLE hidden RENAME TO revocations',
      async () => {
        await refusal();
        await refusal();
      },
    );
    const [entry, ...more] = (await entries()).slice(before);
    expect(entry).toMatchObject({
      failing: ['migrations'],
      err: { message: expect.stringContaining('revocations') },
    });
    expect(more).toEqual([]);
    expect((await server.entries()).some(({ msg }) => msg === 'ready again')).toBe(true);
  });
});
