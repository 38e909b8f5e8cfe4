import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { ConfigError } from '../../../src/config/config.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { TestServer } from '../../support/server.js';
import { until } from '../../support/until.js';
import { Wire } from '../../support/wire.js';

const LOST = 'the revocation feed is lost; the database is asked instead';
const BACK = 'the revocation feed is back';
const messages = (server: TestServer) => server.entries().map(({ msg }) => msg);

describe('the revocation feed', () => {
  let database: TestDatabase;
  let other: TestDatabase;
  let watcher: pg.Client;

  beforeAll(async () => {
    [database, other] = await Promise.all([createDatabase(), createDatabase()]);
    watcher = new pg.Client({ connectionString: database.url });
    await watcher.connect();
  });
  afterAll(async () => {
    await watcher.end();
    await Promise.all([database.drop(), other.drop()]);
  });

  const listening = async ({ url }: TestDatabase): Promise<number> => {
    const { rows } = await watcher.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'auth-modes feed' AND datname = $1`,
      [new URL(url).pathname.slice(1)],
    );
    return rows[0]!.n;
  };

  it('does not start where DATABASE_LISTEN_URL leads to another database, and leaves no connection open', async () => {
    const start = TestServer.start({ database, env: { DATABASE_LISTEN_URL: other.url } });
    await expect(start).rejects.toThrow(ConfigError);
    await expect(start).rejects.toThrow(/DATABASE_LISTEN_URL: .* names another database/);
    await until(async () => (await listening(other)) === 0);
  });

  it('loads all again where an announcement cannot be read: another version may have written it', async () => {
    const server = await TestServer.start({ database });
    const token = await (await server.person()).jwt();
    expect((await token.get('/v1/whoami')).status).toBe(200);
    await watcher.query(
      `INSERT INTO revocations (kind, subject, expires_at) VALUES ('token', $1, now() + interval '1 hour')`,
      [token.claims['jti']],
    );
    for (const payload of ['[oops', '{"jti": 1}', ''])
      await watcher.query('SELECT pg_notify($1, $2)', ['revocations', payload]);
    await until(async () => (await token.get('/v1/whoami')).status === 401);
    await until(() => messages(server).includes(BACK));
    expect(messages(server)).toContain(LOST);
    // The probe of another node that starts is known.
    const losses = messages(server).filter((message) => message === LOST).length;
    const second = await TestServer.start({ database });
    await second.stop();
    expect(messages(server).filter((message) => message === LOST)).toHaveLength(losses);
    await server.stop();
  });

  describe('behind a wire', () => {
    let wire: Wire;
    let server: TestServer;
    beforeAll(async () => {
      wire = await Wire.before(database.url);
    });
    afterAll(() => wire.close());
    const start = () => TestServer.start({ database, env: { DATABASE_LISTEN_URL: wire.url.href } });

    it('stops while its connection says nothing', async () => {
      server = await start();
      wire.stall();
      await server.stop();
    });

    it('stops while it connects', async () => {
      wire.mend();
      server = await start();
      wire.cut('silent');
      await until(() => messages(server).includes(LOST));
      await server.stop();
      expect(messages(server).filter((message) => message === LOST)).toHaveLength(1);
    });

    it('leaves no connection open', async () => {
      wire.close();
      await until(async () => (await listening(database)) === 0);
    });
  });
});
