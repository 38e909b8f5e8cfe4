import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../../src/platform/config/config.js';
import { ListeningConnection, UnheardError } from '../../../src/platform/revocations/listening-connection.js';
import { Client } from '../../support/client.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { credentials, signIns } from '../../support/modes/any.js';
// room: jwt
import { jwtOf } from '../../support/modes/jwt.js';
// /room
import { PgBouncer } from '../../support/pgbouncer.js';
import { findProgram } from '../../support/programs.js';
import { PROBES } from '../../support/probe/probe.entity.js';
import { TestServer } from '../../support/server.js';
import { until } from '../../support/until.js';

const binary = findProgram('pgbouncer');
const isRequired = process.env['REQUIRE_PGBOUNCER'] === '1';
const PATH = '/v1/probes/principal';

const faultsOf = async (attempt: Promise<TestServer>) => {
  const error = await attempt.then(
    async (server) => server.stop(),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigError);
  const { exitCode, faults } = error as ConfigError;
  expect(exitCode).toBe(78);
  return faults;
};

if (!binary && isRequired)
  it('has PgBouncer if REQUIRE_PGBOUNCER=1 requires it', () => {
    expect(binary).toBeDefined();
  });

const name = 'behind PgBouncer in transaction mode';
(binary ? describe : describe.skip)(binary ? name : `${name}, which is not installed here`, () => {
  let database: TestDatabase;
  let bouncer: PgBouncer;
  let servers: TestServer[] = [];

  beforeAll(async () => {
    database = await createDatabase({ empty: true });
    bouncer = await PgBouncer.start(binary!, database.url);
    // At once, on an empty database: both migrate.
    servers = await Promise.all([start(), start()]);
    await servers[0]!.query(PROBES);
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await bouncer?.stop();
    await database.drop();
  });

  const start = (url = bouncer.url, listen: string | undefined = database.url) =>
    TestServer.start({
      database: { ...database, url },
      env: listen === '' ? {} : { DATABASE_LISTEN_URL: listen },
    });
  const onOther = ({ headers }: Client) => new Client(servers[1]!.url, servers[1]!.secrets, headers);

  it('works for every credential, also for many requests at once', async () => {
    const [server] = servers as [TestServer, TestServer];
    for (const { name: kind, of } of credentials) {
      const client = await of(server);
      const posted = await Promise.all(
        Array.from({ length: 20 }, () => client.post('/v1/probes', { note: 'book' })),
      );
      expect([kind, new Set(posted.map(({ status }) => status))]).toEqual([kind, new Set([201])]);
      const { body } = await onOther(client).get('/v1/probes?limit=100');
      expect(body.items).toHaveLength(20);
    }
  });

  // room: jwt
  it('refreshes tokens', async () => {
    const { refreshToken } = await jwtOf(await servers[0]!.person());
    const refreshed = await servers[0]!.anonymous.post('/v1/tokens/refresh', { refreshToken });
    expect(refreshed.status).toBe(200);
  });
  // /room

  // room: sign-ins
  it.each(signIns)('refuses a $mode that another node revokes', async ({ of }) => {
    const client = await of(await servers[0]!.person());
    for (let i = 0; i < 2; i += 1) expect((await onOther(client).get(PATH)).status).toBe(200);
    expect((await client.delete('/v1/sessions/current')).status).toBe(204);
    await until(async () => (await onOther(client).get(PATH)).status === 401);
  });
  // /room

  it('refuses to start without DATABASE_LISTEN_URL', async () => {
    expect(await faultsOf(start(bouncer.url, ''))).toEqual([
      'DATABASE_LISTEN_URL: is required, because DATABASE_URL points to a pooler, which does not pass on notifications',
    ]);
  });

  it('refuses to start if DATABASE_LISTEN_URL is not a direct connection', async () => {
    expect(await faultsOf(start(bouncer.url, bouncer.url))).toEqual([
      'DATABASE_LISTEN_URL: must point directly to the database of DATABASE_URL, because notifications do not arrive there',
    ]);
  });

  describe('with every startup parameter ignored', () => {
    let lenient: PgBouncer;
    beforeAll(async () => {
      const settings = ['ignore_startup_parameters = statement_timeout'];
      lenient = await PgBouncer.start(binary!, database.url, settings);
    });
    afterAll(() => lenient?.stop());

    it('refuses to start', async () => {
      expect(await faultsOf(start(lenient.url, ''))).toEqual([
        'DATABASE_LISTEN_URL: is required, because DATABASE_URL points to a transaction pooler, which does not pass on notifications',
      ]);
    });

    it('notices at a heartbeat that another backend answers', async () => {
      const lost = new AbortController();
      const announcer = new pg.Client({ connectionString: database.url });
      await announcer.connect();
      const notify = (channel: string, payload: string) =>
        announcer.query('SELECT pg_notify($1, $2)', [channel, payload]);
      const connection = new ListeningConnection(lenient.url, 5_000, 'revocations', {
        onPayload: () => undefined,
        onLost: () => lost.abort(),
      });
      await connection.listen();
      // A client in a transaction has the backend to itself. Without one, PgBouncer may or may not pass a notification on.
      const neighbour = new pg.Client({ connectionString: lenient.url });
      await neighbour.connect();
      await neighbour.query('BEGIN');
      await expect(connection.prove(notify, 5_000)).rejects.toThrow(UnheardError);
      await Promise.all([neighbour.end(), announcer.end()]);
      connection.giveUp(new Error('the test ends'));
      expect(lost.signal.aborted).toBe(true);
    });
  });
});
