import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../../src/platform/config/config.js';
import { ListeningConnection, UnheardError } from '../../../src/platform/revocations/listening-connection.js';
import { Client } from '../../support/client.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { basic, postForm } from '../../support/form.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { sessionOf } from '../../support/modes/session.js';
import { PgBouncer } from '../../support/pgbouncer.js';
import { findProgram } from '../../support/programs.js';
import { PROBES } from '../../support/probe/probe.entity.js';
import { PASSWORD, TestServer } from '../../support/server.js';
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
  it('PgBouncer is installed here, where REQUIRE_PGBOUNCER=1 asks for it', () => {
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

  it('works in every mode, also for many at once', async () => {
    const [server] = servers as [TestServer, TestServer];
    const ada = await server.person();
    const session = await sessionOf(ada);
    const jwt = await jwtOf(ada);
    const { email } = ada;
    const opaque = await server.anonymous.post('/v1/tokens', { email, password: PASSWORD, format: 'opaque' });
    const key = await apiKeyOf(ada, ['probes:read', 'probes:write']);
    const clients = [
      session,
      jwt,
      key,
      server.anonymous.with({ Authorization: `Bearer ${opaque.body.access_token}` }),
    ];
    const order = { note: 'book' };
    const posted = await Promise.all(
      Array.from({ length: 40 }, (_, i) => clients[i % clients.length]!.post('/v1/probes', order)),
    );
    expect(new Set(posted.map(({ status }) => status))).toEqual(new Set([201]));
    const { body } = await onOther(key).get('/v1/probes?limit=100');
    expect(body.items).toHaveLength(40);

    const refreshed = await server.anonymous.post('/v1/tokens/refresh', { refreshToken: jwt.refreshToken });
    expect(refreshed.status).toBe(200);
    const grant = { grant_type: 'client_credentials' };
    expect((await postForm(server.anonymous, '/oauth/token', grant, basic(key.id, key.key))).status).toBe(
      200,
    );
  });

  it.each([
    ['session', sessionOf],
    ['jwt', jwtOf],
  ] as const)('hears of a %s that another node revokes', async (_mode, signIn) => {
    const client = await signIn(await servers[0]!.person());
    for (let i = 0; i < 2; i += 1) expect((await onOther(client).get(PATH)).status).toBe(200);
    expect((await client.delete('/v1/sessions/current')).status).toBe(204);
    await until(async () => (await onOther(client).get(PATH)).status === 401);
  });

  it('does not start without DATABASE_LISTEN_URL, and says so', async () => {
    expect(await faultsOf(start(bouncer.url, ''))).toEqual([
      'DATABASE_LISTEN_URL: is missing: DATABASE_URL names a pooler, through which nobody can listen',
    ]);
  });

  it('does not start with a DATABASE_LISTEN_URL that is no direct connection, and says so', async () => {
    expect(await faultsOf(start(bouncer.url, bouncer.url))).toEqual([
      'DATABASE_LISTEN_URL: what is announced through DATABASE_URL does not arrive there: it names another database, or a transaction pooler',
    ]);
  });

  describe('which was told to let every setting pass', () => {
    let lenient: PgBouncer;
    beforeAll(async () => {
      const settings = ['ignore_startup_parameters = statement_timeout'];
      lenient = await PgBouncer.start(binary!, database.url, settings);
    });
    afterAll(() => lenient?.stop());

    it('does not start either', async () => {
      expect(await faultsOf(start(lenient.url, ''))).toEqual([
        'DATABASE_LISTEN_URL: is missing: what is announced does not arrive through DATABASE_URL, which names a transaction pooler',
      ]);
    });

    it('notices at a heartbeat that another backend answers than the one that listens', async () => {
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
