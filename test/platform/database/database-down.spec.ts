import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, Client } from '../../support/client.js';
import { createDatabase, type TestDatabase, urlOf } from '../../support/databases.js';
import { credentials, signIns } from '../../support/modes/any.js';
// room: jwt
import { jwtOf } from '../../support/modes/jwt.js';
// /room
import type { Person } from '../../support/person.js';
import { PASSWORD, TestServer } from '../../support/server.js';
import { Wire } from '../../support/wire.js';

describe('a server whose database is gone', () => {
  let database: TestDatabase;
  let wire: Wire;
  let server: TestServer;
  let admin: pg.Client;
  let name: string;

  const clients: Record<string, Client> = {};
  // room: users
  let ada: Person;
  // /room
  // room: jwt
  let refreshToken: string;
  // /room
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown) => unhandled.push(reason);

  beforeAll(async () => {
    process.on('unhandledRejection', onUnhandled);
    database = await createDatabase();
    name = new URL(database.url).pathname.slice(1);
    wire = await Wire.before(database.url);
    server = await TestServer.start({ database: { ...database, url: wire.url.href } });
    admin = new pg.Client({ connectionString: urlOf(database.url, 'postgres') });
    await admin.connect();

    for (const { name: kind, of } of credentials) clients[kind] = await of(server);
    // room: users
    ada = await server.person();
    // /room
    // room: jwt
    ({ refreshToken } = await jwtOf(ada));
    // /room
  });
  afterAll(async () => {
    await server.stop();
    await admin.end();
    wire.close();
    await database.drop();
    process.off('unhandledRejection', onUnhandled);
  });

  const endConnections = () =>
    admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = $1 AND backend_type = 'client backend'`, // not autovacuum, which is the superuser's
      [name],
    );

  // room: users
  const signedUp = () => ({ email: ada.email, password: PASSWORD });
  // /room

  /** How a database goes, and how it comes back. */
  const OUTAGES: Record<string, { go: () => unknown; comeBack: () => unknown }> = {
    'closes its connections': { go: () => wire.cut('closed'), comeBack: () => wire.mend() },
    'never answers': { go: () => wire.cut('silent'), comeBack: () => wire.mend() },
    'accepts no connections': {
      go: async () => {
        await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
        await endConnections();
      },
      comeBack: () => admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`),
    },
    'is not there': {
      go: async () => {
        await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
        await endConnections();
        await admin.query(`ALTER DATABASE ${name} RENAME TO ${name}_gone`);
      },
      comeBack: async () => {
        await admin.query(`ALTER DATABASE ${name}_gone RENAME TO ${name}`);
        await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      },
    },
  };

  describe.each(Object.keys(OUTAGES))('because it %s', (outage) => {
    it('[V16.5.2] answers 503 to everybody, neither 200 nor 401, and works again afterwards', async () => {
      const answers: Record<string, Promise<Answer>> = {};
      await OUTAGES[outage]!.go();
      for (const [mode, client] of Object.entries(clients)) answers[mode] = client.get('/v1/probes');
      const nobody = server.anonymous;
      // room: users
      for (const { mode, path, fields } of signIns)
        answers[`sign-in by ${mode}`] = nobody.post(path, { ...signedUp(), ...fields });
      answers['registration'] = nobody.post('/v1/users', { email: 'new@example.com', password: PASSWORD });
      // /room
      // room: jwt
      answers['refresh'] = nobody.post('/v1/tokens/refresh', { refreshToken });
      // /room
      answers['readiness'] = nobody.get('/health/ready');
      for (const [what, answer] of Object.entries(answers)) {
        const { status, problem, headers, body } = await answer;
        expect([what, status, problem, headers.get('retry-after')]).toEqual([
          what,
          503,
          'database-unavailable',
          '1',
        ]);
        expect(body.detail).toBe('The database is unavailable.');
      }
      // Requests that need no database still work.
      expect((await nobody.get('/health/live')).status).toBe(200);
      // room: jwt
      expect((await nobody.get('/.well-known/jwks.json')).status).toBe(200);
      // /room
      // room: api-keys
      expect((await nobody.with({ 'X-API-Key': 'nk_test_malformed' }).get('/v1/probes')).status).toBe(401);
      // /room

      await OUTAGES[outage]!.comeBack();
      expect((await nobody.get('/health/ready')).status).toBe(200);
      for (const client of Object.values(clients)) expect((await client.get('/v1/probes')).status).toBe(200);
      // room: users
      for (const { path, fields } of signIns)
        expect((await nobody.post(path, { ...signedUp(), ...fields })).status).toBe(201);
      // /room
      // room: jwt
      const refreshed = await nobody.post('/v1/tokens/refresh', { refreshToken });
      expect(refreshed.status).toBe(200);
      refreshToken = refreshed.body.refresh_token;
      // /room
    });
  });

  // room: sign-ins
  it('[V2.3.3] answers 503 if it fails in the middle of a transaction, and nothing of it is stored', async () => {
    const count = 'SELECT count(*)::int AS n FROM sign_ins';
    const before = await server.query(count);
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM users WHERE id = $1 FOR UPDATE', [ada.id]);
    const { path, fields } = signIns[0]!;
    const answer = server.anonymous.post(path, { ...signedUp(), ...fields });
    const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`;
    while ((await admin.query(waiting, [name])).rowCount === 0) await sleep(10);
    wire.cut('closed');
    expect((await answer).problem).toBe('database-unavailable');
    wire.mend();
    await holder.query('COMMIT');
    await holder.end();
    expect(await server.query(count)).toEqual(before);
  });
  // /room

  it('answers 500 without details if the query was wrong', async () => {
    await server.query('ALTER TABLE probes RENAME TO hidden');
    const { status, problem, body } = await Object.values(clients)[0]!.get('/v1/probes');
    await server.query('ALTER TABLE hidden RENAME TO probes');
    expect([status, problem]).toEqual([500, 'internal-error']);
    expect(JSON.stringify(body)).not.toMatch(/relation|probes|select/i);
    expect((await server.anonymous.get('/health/ready')).status).toBe(200);
  });

  it('logs every outage as such, and leaves no rejection unhandled', async () => {
    const messages = (await server.entries()).filter(({ level }) => level === 'error').map(({ msg }) => msg);
    expect(messages).toContain('the database is unavailable');
    expect(messages.filter((message) => message === 'unexpected error')).toHaveLength(1);
    expect(unhandled).toEqual([]);
  });
});
