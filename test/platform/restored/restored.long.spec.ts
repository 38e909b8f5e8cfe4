import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
// room: users
import pg from 'pg';
// /room
import { Client } from '../../support/client.js';
import { runCommand } from '../../support/commands.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { credentials, signIns } from '../../support/modes/any.js';
// room: tokens
import { tokens, type TokenHolder } from '../../support/modes/any.js';
// /room
// room: users
import type { Person } from '../../support/person.js';
// /room
import { PRODUCTION } from '../../support/production.js';
import { PASSWORD, TestServer } from '../../support/server.js';
import { until } from '../../support/until.js';

const PATH = '/v1/probes/principal';
describe('npm run restored', () => {
  const { ENCRYPTION_SECRETS } = PRODUCTION;
  // Long, so that only the announcement of the command can empty the caches of the running server.
  const env = { CREDENTIAL_CACHE_TTL: '15m', RATE_LIMITS: 'off' };
  let live: TestDatabase;
  let backup: TestDatabase;
  /** On the database that went on after the backup, and on the restored one. */
  let server: TestServer;

  const start = async (database: TestDatabase) => (server = await TestServer.start({ database, env }));
  const command = (name: string, ...args: string[]) =>
    runCommand(name, args, { DATABASE_URL: server.config.DATABASE_URL, ENCRYPTION_SECRETS });
  const here = ({ headers }: Client) => new Client(server.url, server.secrets, headers);
  const statusOf = async (client: Client) => (await here(client).get(PATH)).status;
  const statuses = async (clients: Record<string, Client>) =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(clients).map(async ([name, client]) => [name, await statusOf(client)] as const),
      ),
    );
  const all = (clients: Record<string, Client>, status: number) =>
    Object.fromEntries(Object.keys(clients).map((name) => [name, status]));
  /** Ends a credential, or the one behind it. */
  async function revoke(client: Client): Promise<void> {
    // room: api-keys
    const { id, key } = client as { id?: string; key?: string | { id: string } };
    if (key !== undefined) {
      const revoked = await command('api-keys:revoke', '--id', typeof key === 'string' ? id! : key.id);
      expect(revoked).toMatchObject({ code: 0 });
      return;
    }
    // /room
    expect((await here(client).delete('/v1/sessions/current')).status).toBe(204);
  }
  // room: recovery
  const setPassword = (token: string) =>
    server.anonymous.put('/v1/password-resets', { token, newPassword: 'another password than before' });
  // /room

  const before: Record<string, Client> = {};
  // room: users
  let ada: Person;
  // /room
  // room: recovery
  const links: string[] = [];
  // /room
  // room: tokens
  const after: Record<string, TokenHolder> = {};
  // /room

  beforeAll(async () => {
    live = await createDatabase();
    await start(live);
    for (const { name, of } of credentials) before[name] = await of(server);
    // room: users
    ada = await server.person();
    // /room
    // room: recovery
    for (let n = 0; n < 2; n += 1) {
      const { email } = await server.person();
      await server.anonymous.post('/v1/password-resets', { email });
      links.push(await server.mailedToken(email));
    }
    // /room
    await server.stop();
    // PostgreSQL copies only a database that nobody uses.
    backup = await createDatabase({ copyOf: live });
    await start(live);
    for (const client of Object.values(before)) await revoke(client);
    expect(await statuses(before)).toEqual(all(before, 401));
    // room: tokens
    for (const kind of tokens) after[kind.mode] = await kind.of(ada.at(server));
    // /room
    // room: recovery
    for (const link of links) expect((await setPassword(link)).status).toBe(204);
    // /room
    await server.stop();
    await start(backup);
  });
  afterAll(async () => {
    await server?.stop();
    await backup?.drop();
    await live?.drop();
  });

  it('is needed: a backup brings revoked credentials back', async () => {
    expect(await statuses(before)).toEqual(all(before, 200));
    // room: jwt
    // The database does not know this token, but the key that signed it.
    expect(await statusOf(after['jwt']!)).toBe(200);
    // /room
    // room: recovery
    expect((await setPassword(links[0]!)).status).toBe(204);
    // /room
  });

  it('refuses a name that no room keeps', async () => {
    const { code, stderr } = await command('restored', '--keep', 'passwords');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^--keep: must be/)]);
    expect(await statuses(before)).toEqual(all(before, 200));
  });

  // room: api-keys
  it('keeps API keys if asked, but not the tokens of keys', async () => {
    const { code, stdout } = await command('restored', '--keep', 'api-keys');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Kept: api-keys$/m)]);
    const isKey = (client: Client) => 'key' in client && typeof client.key === 'string';
    const kept = Object.fromEntries(Object.entries(before).filter(([, client]) => isKey(client)));
    const ended = Object.fromEntries(Object.entries(before).filter(([, client]) => !isKey(client)));
    await until(async () => !Object.values(await statuses(ended)).includes(200));
    expect(await statuses(kept)).toEqual(all(kept, 200));
  });
  // /room

  it('ends everything that was issued before, on a running server too', async () => {
    // room: sign-ins
    // These look expired to a machine whose clock is ahead.
    await signIns[0]!.of(ada.at(server));
    await server.query(
      `UPDATE sign_ins SET expires_at = now(), idle_expires_at = now()
       WHERE created_at = (SELECT max(created_at) FROM sign_ins)`,
    );
    // /room
    // room: api-keys
    await server.query(
      `UPDATE api_keys SET expires_at = now()
       WHERE id = (SELECT id FROM api_keys WHERE revoked_at IS NULL ORDER BY id DESC LIMIT 1)`,
    );
    // /room
    const { code, stdout, stderr } = await command('restored');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    // room: sign-ins
    expect(await server.query('SELECT id FROM sign_ins WHERE ended_at IS NULL')).toEqual([]);
    // /room
    // room: api-keys
    expect(await server.query('SELECT id FROM api_keys WHERE revoked_at IS NULL')).toEqual([]);
    // /room
    expect(stdout).toMatch(/^Ended:\n( +\d+ {2}[^\n]+\n)+$/);
    await until(async () => !Object.values(await statuses(before)).includes(200));
    expect(await statuses(before)).toEqual(all(before, 401));
    // room: tokens
    expect(await statuses(after)).toEqual(all(after, 401));
    for (const { refreshToken } of Object.values(after))
      expect((await server.anonymous.post('/v1/tokens/refresh', { refreshToken })).status).toBe(401);
    // /room
    // room: recovery
    expect(await setPassword(links[1]!)).toMatchObject({ status: 400 });
    // /room
  });

  // room: users
  it('waits for a sign-in that is being made, and ends it too', async () => {
    const request = new pg.Client({ connectionString: backup.url });
    await request.connect();
    await request.query('BEGIN');
    await request.query(
      `INSERT INTO sign_ins (id, user_id, carrier, amr, auth_time, created_at, last_seen_at, idle_expires_at, expires_at)
       SELECT id, id, 'cookie', '{pwd}', now(), now(), now(), now() + interval '1 day', now() + interval '1 day'
       FROM users WHERE id = $1`,
      [ada.id],
    );
    const running = command('restored');
    await until(async () => (await server.query('SELECT FROM pg_locks WHERE NOT granted')).length > 0);
    await request.query('COMMIT');
    await request.end();
    expect(await running).toMatchObject({ code: 0 });
    const [made] = await server.query('SELECT end_reason FROM sign_ins WHERE id = $1', [ada.id]);
    expect(made).toEqual({ end_reason: 'restored from a backup' });
  });
  // /room

  // room: audit
  it('is in the audit log, with its numbers', async () => {
    const events = await server.query(
      `SELECT details FROM audit_events WHERE type = 'backup.restored' ORDER BY id`,
    );
    expect(events.at(-1).details).toMatchObject({ kept: [], 'signing keys': 2 });
  });
  // /room

  it('changes no password, and lets new credentials work', async () => {
    // room: users
    expect(ada.password).toBe(PASSWORD);
    for (const kind of signIns) expect(await statusOf(await kind.of(ada.at(server)))).toBe(200);
    // /room
    for (const { of } of credentials) expect(await statusOf(await of(server))).toBe(200);
  });
});
