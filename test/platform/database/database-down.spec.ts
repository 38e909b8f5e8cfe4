import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, Client } from '../../support/client.js';
import { createDatabase, type TestDatabase, urlOf } from '../../support/databases.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { jwtOf, type TokenClient } from '../../support/modes/jwt.js';
import { sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { PASSWORD, TestServer } from '../../support/server.js';
import { Wire } from '../../support/wire.js';

describe('a server whose database is gone', () => {
  let database: TestDatabase;
  let wire: Wire;
  let server: TestServer;
  let admin: pg.Client;
  let name: string;

  let ada: Person;
  let clients: Record<'session' | 'jwt' | 'key', Client>;
  let tokens: TokenClient;
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

    ada = await server.person();
    tokens = await jwtOf(ada);
    clients = { session: await sessionOf(ada), jwt: tokens, key: await apiKeyOf(ada, ['probes:read']) };
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

  const credentials = () => ({ email: ada.email, password: PASSWORD });

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
    it('answers 503 to everybody, neither 200 nor 401, and works again when it is back', async () => {
      const answers: Record<string, Promise<Answer>> = {};
      await OUTAGES[outage]!.go();
      for (const [mode, client] of Object.entries(clients)) answers[mode] = client.get('/v1/probes');
      const nobody = server.anonymous;
      answers['sign-in by cookie'] = nobody.post('/v1/sessions', credentials());
      answers['sign-in by token'] = nobody.post('/v1/tokens', credentials());
      answers['refresh'] = nobody.post('/v1/tokens/refresh', { refreshToken: tokens.refreshToken });
      answers['registration'] = nobody.post('/v1/users', { email: 'new@example.com', password: PASSWORD });
      answers['readiness'] = nobody.get('/health/ready');
      for (const [what, answer] of Object.entries(answers)) {
        const { status, problem, headers, body } = await answer;
        expect([what, status, problem, headers.get('retry-after')]).toEqual([
          what,
          503,
          'database-unavailable',
          '1',
        ]);
        expect(body.detail).toBe('The database cannot be reached.');
      }
      // What needs no database goes on.
      expect((await nobody.get('/health/live')).status).toBe(200);
      expect((await nobody.get('/.well-known/jwks.json')).status).toBe(200);
      expect((await nobody.with({ 'X-API-Key': 'nk_test_malformed' }).get('/v1/probes')).status).toBe(401);

      await OUTAGES[outage]!.comeBack();
      expect((await nobody.get('/health/ready')).status).toBe(200);
      for (const client of Object.values(clients)) expect((await client.get('/v1/probes')).status).toBe(200);
      expect((await nobody.post('/v1/sessions', credentials())).status).toBe(201);
      const refreshed = await nobody.post('/v1/tokens/refresh', { refreshToken: tokens.refreshToken });
      expect(refreshed.status).toBe(200);
      tokens = Object.assign(tokens, { refreshToken: refreshed.body.refresh_token });
    });
  });

  it('answers 503 where it goes in the middle of a transaction, of which nothing stays', async () => {
    const count = 'SELECT count(*)::int AS n FROM sign_ins';
    const before = await server.query(count);
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM users WHERE id = $1 FOR UPDATE', [ada.id]);
    const answer = server.anonymous.post('/v1/sessions', credentials());
    const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`;
    while ((await admin.query(waiting, [name])).rowCount === 0) await sleep(10);
    wire.cut('closed');
    expect((await answer).problem).toBe('database-unavailable');
    wire.mend();
    await holder.query('COMMIT');
    await holder.end();
    expect(await server.query(count)).toEqual(before);
  });

  it('answers 500 without details where the question was wrong', async () => {
    await server.query('ALTER TABLE probes RENAME TO hidden');
    const { status, problem, body } = await clients.key.get('/v1/probes');
    await server.query('ALTER TABLE hidden RENAME TO probes');
    expect([status, problem]).toEqual([500, 'internal-error']);
    expect(JSON.stringify(body)).not.toMatch(/relation|probes|select/i);
    expect((await server.anonymous.get('/health/ready')).status).toBe(200);
  });

  it('logged every outage as what it is, and left no rejection unhandled', async () => {
    const messages = (await server.entries()).filter(({ level }) => level === 'error').map(({ msg }) => msg);
    expect(messages).toContain('the database cannot be reached');
    expect(messages.filter((message) => message === 'unexpected error')).toHaveLength(1);
    expect(unhandled).toEqual([]);
  });
});
