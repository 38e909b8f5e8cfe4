import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import '../../../src/app.module.js';
import { restoredTables } from '../../../src/platform/restored/on-restored.js';
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
const WITH_SECRETS = `
  SELECT DISTINCT table_name AS "table" FROM information_schema.columns JOIN information_schema.tables USING (table_name)
  WHERE tables.table_schema = 'public' AND table_type = 'BASE TABLE'
    AND (data_type = 'bytea' OR column_name ~ 'hash|secret|token|digest|sealed|code')`;

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

  it('knows every table with secrets', async () => {
    const tables: { table: string }[] = await server.query(WITH_SECRETS);
    const declared = restoredTables();
    expect(tables.map(({ table }) => table).filter((table) => !declared.includes(table))).toEqual([]);
    const known = await server.query(`SELECT to_regclass(name) AS found FROM unnest($1::text[]) AS name`, [
      declared,
    ]);
    expect(known).not.toContainEqual({ found: null });
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
    const { code, stdout, stderr } = await command('restored');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
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
