import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { ConfigError } from '../../../src/platform/config/config.js';
import { RevocationFeed } from '../../../src/platform/revocations/revocation-feed.js';
import { RevocationsService } from '../../../src/platform/revocations/revocations.service.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { InProcessServer } from '../../support/in-process.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { until } from '../../support/until.js';
import { Wire } from '../../support/wire.js';

const LOST = 'lost the revocation feed; requests query the database';
const BACK = 'restored the revocation feed';
const messages = (server: InProcessServer) => server.entries().map(({ msg }) => msg);

const takeBack = () => {
  throw new Error('taken back');
};

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

  it('refuses to start if DATABASE_LISTEN_URL names another database, and leaves no connection open', async () => {
    const start = InProcessServer.start({ database, env: { DATABASE_LISTEN_URL: other.url } });
    await expect(start).rejects.toThrow(ConfigError);
    await expect(start).rejects.toThrow(
      /DATABASE_LISTEN_URL: must point directly to the database of DATABASE_URL/,
    );
    await until(async () => (await listening(other)) === 0);
  });

  it('loads everything again if it cannot read an announcement', async () => {
    const server = await InProcessServer.start({ database });
    const token = await jwtOf(await server.person());
    expect((await token.get('/v1/probes/principal')).status).toBe(200);
    await watcher.query(
      `INSERT INTO revocations (kind, subject, expires_at) VALUES ('token', $1, now() + interval '1 hour')`,
      [token.claims['jti']],
    );
    for (const payload of ['[oops', '{"jti": 1}', ''])
      await watcher.query('SELECT pg_notify($1, $2)', ['revocations', payload]);
    await until(async () => (await token.get('/v1/probes/principal')).status === 401);
    const count = (text: string) => messages(server).filter((message) => message === text).length;
    await until(() => count(BACK) > 0 && count(BACK) === count(LOST));
    // The probe of another node that starts is known.
    const losses = count(LOST);
    const second = await InProcessServer.start({ database });
    await second.stop();
    expect(count(LOST)).toBe(losses);
    await server.stop();
  });

  it('is not believed after this process was held up, until the next heartbeat; and it is not lost', async () => {
    const server = await InProcessServer.start({ database, env: { FEED_MAX_LAG: '200ms' } });
    const feed = server.app.get(RevocationFeed);
    await until(() => feed.isCurrent);
    for (const end = Date.now() + 300; Date.now() < end;);
    expect(feed.isCurrent).toBe(false);
    await until(() => feed.isCurrent);
    expect(messages(server)).not.toContain(LOST);
    await server.stop();
  });

  it('applies a revocation of this node after the commit, not after a savepoint', async () => {
    const server = await InProcessServer.start({ database });
    const feed = server.app.get(RevocationFeed);
    const announce = (manager: EntityManager, subject: string) =>
      server.app.get(RevocationsService).announce(manager, [{ kind: 'token', subject }]);
    const revoke = (subject: string, end: () => void) =>
      server.dataSource.transaction(async (outer) => {
        await outer.transaction((inner) => announce(inner, subject));
        expect(feed.revokedUntil('token', subject)).toBe(-Infinity);
        end();
      });
    await revoke('committed', () => undefined);
    expect(feed.revokedUntil('token', 'committed')).toBe(Infinity);
    await expect(revoke('rolled back', takeBack)).rejects.toThrow('taken back');
    expect(feed.revokedUntil('token', 'rolled back')).toBe(-Infinity);
    await server.stop();
  });

  describe('behind a wire', () => {
    let wire: Wire;
    let server: InProcessServer;
    beforeAll(async () => {
      wire = await Wire.before(database.url);
    });
    afterAll(() => wire.close());
    const start = () => InProcessServer.start({ database, env: { DATABASE_LISTEN_URL: wire.url.href } });

    it('stops while its connection is silent', async () => {
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
