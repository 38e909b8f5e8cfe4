import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from '@jest/globals';
import { format, resolveConfig } from 'prettier';
import pg from 'pg';
import { COMMANDS, runCommand } from '../support/commands.js';
import { createDatabase } from '../support/databases.js';
import { signIns } from '../support/modes/any.js';
import { PASSWORD, useServer } from '../support/server.js';
import { until } from '../support/until.js';

/** What the compiler says about a file, with the options of the project. */
function faultsOf(file: string): string[] {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, '.');
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([file], { ...options, noEmit: true }));
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

interface Queryable {
  query(statement: string): Promise<any>;
}
const rowsOf = async (database: Queryable, statement: string): Promise<{ name: string }[]> => {
  const result = await database.query(statement);
  return result.rows ?? result;
};
const tablesOf = async (database: Queryable): Promise<string[]> => {
  const rows = await rowsOf(
    database,
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace`,
  );
  return rows.map(({ name }) => name).toSorted();
};
const migrationsOf = async (database: Queryable): Promise<string[]> =>
  (await rowsOf(database, 'SELECT name FROM migrations ORDER BY id')).map(({ name }) => name);

describe('the command', () => {
  const context = useServer();

  /** Runs a command on the database of the server, or on that of `env`. */
  const run = (command: string, args: string[], { input = '', env = {} } = {}) => {
    const { DATABASE_URL, DATA_DIRECTORY } = context.server.config;
    return runCommand(command, args, { DATABASE_URL, DATA_DIRECTORY, ...env }, input);
  };

  // room: admin
  describe('admin:create', () => {
    it('makes an administrator, who can sign in with the password from standard input', async () => {
      const outcome = await run('admin:create', ['--email', 'Grace@Example.com'], {
        input: `${PASSWORD}\r\n`,
      });
      expect(outcome).toEqual({
        code: 0,
        stdout: 'grace@example.com is now an administrator.\n',
        stderr: '',
      });
      // The real cost: the server of the tests has a cheaper one.
      expect(
        await context.server.query(
          `SELECT password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%' AS real FROM users WHERE email = 'grace@example.com'`,
        ),
      ).toEqual([{ real: true }]);
      const { path, fields } = signIns[0]!;
      const signIn = { email: 'grace@example.com', password: PASSWORD, ...fields };
      expect((await context.server.anonymous.post(path, signIn)).status).toBe(201);
      expect(
        await context.server.query(
          `SELECT roles, email_verified_at IS NOT NULL AS verified FROM users WHERE email = 'grace@example.com'`,
        ),
      ).toEqual([{ roles: ['admin'], verified: true }]);
    });

    it('takes no password from an argument, and does not repeat it', async () => {
      const outcome = await run('admin:create', ['--email', 'new@example.com', `--password=${PASSWORD}`]);
      expect(outcome).toEqual({
        code: 1,
        stdout: '',
        stderr: `--password: unknown option\nUsage: npm run admin:create -- --email ada@example.com\n`,
      });
      expect(outcome.stderr).not.toContain(PASSWORD);
    });
  });
  // /room

  // room: api-keys, service-accounts
  describe('service-accounts:create, api-keys:create and api-keys:revoke', () => {
    it('make a service account and a key of it, and revoke the key, without a person', async () => {
      const made = await run('service-accounts:create', ['--name', 'Billing']);
      expect(made).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^[0-9a-f-]{36}\n$/) });
      const subject = made.stdout.trim();
      const fields = ['--service-account', subject, '--name', 'From a shell', '--scopes', 'api-keys:read'];
      const outcome = await run('api-keys:create', [...fields, '--expires', '90d']);
      expect(outcome).toMatchObject({ code: 0, stdout: expect.stringMatching(/^nk_test_\w{49}\n$/) });
      const key = outcome.stdout.trim();
      context.server.secrets.keep(key);
      const client = context.server.anonymous.with({ 'X-API-Key': key });
      const { body } = await client.get('/v1/probes/principal');
      expect(body).toMatchObject({ kind: 'service-account', subject, scopes: ['api-keys:read'] });
      expect(outcome.stderr).toBe(`The key ${body.credentialId} is shown only once:\n`);
      const [row] = await context.server.query(
        'SELECT name, expires_at, created_at FROM api_keys WHERE id = $1',
        [body.credentialId],
      );
      expect(row.name).toBe('From a shell');
      expect(Math.round((row.expires_at - row.created_at) / 3_600_000)).toBe(90 * 24);

      const revoke = ['--id', body.credentialId];
      expect(await run('api-keys:revoke', revoke)).toMatchObject({ code: 0, stderr: '' });
      await until(async () => (await client.get('/v1/probes/principal')).status === 401);
    });

    it('refuse an unknown option', async () => {
      expect(
        await run('api-keys:create', ['--name', 'x', '--scopes', 'api-keys:read', '--owner', 'x']),
      ).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(
          /^--owner: unknown option\nargument 6: must be an option\nUsage: npm run api-keys:create .*\n$/,
        ),
      });
    });

    // room: own-api-keys
    it('make a key of a user', async () => {
      const ada = await context.server.person();
      const fields = ['--email', ada.email.toUpperCase(), '--name', 'x', '--scopes', 'api-keys:read'];
      const key = (await run('api-keys:create', fields)).stdout.trim();
      context.server.secrets.keep(key);
      const client = context.server.anonymous.with({ 'X-API-Key': key });
      expect((await client.get('/v1/probes/principal')).body.subject).toBe(ada.id);
    });
    // /room
  });
  // /room

  describe('routes', () => {
    it('prints every route with its access', async () => {
      const { code, stdout, stderr } = await run('routes', []);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const [head, ...lines] = stdout.trimEnd().split('\n');
      const rows = lines.map((line) => line.split(/ {2,}/));
      expect(head!.split(/ {2,}/)).toEqual(['METHOD', 'PATH', 'ACCEPTS', 'SCOPES', 'ALSO']);
      const routes = (await context.server.routes()).filter(({ path }) => !path.startsWith('/v1/probes'));
      expect(rows.map(([method, path]) => `${method} ${path}`).toSorted()).toEqual(
        routes.map(({ method, path }) => `${method} ${path}`).toSorted(),
      );
      // By hand, so that the table is not compared with itself.
      for (const row of [
        ['GET', '/health/live', 'public'],
        // room: sessions
        ['POST', '/v1/sessions', 'public', 'same origin'],
        // /room
        // room: sessions, jwt, opaque-tokens, api-keys, orders, events, reports
        ['GET', '/v1/orders', 'api-key jwt opaque session', 'orders:read'],
        ['GET', '/v1/whoami', 'api-key jwt opaque session'],
        ['POST', '/v1/events', 'api-key', 'events:write'],
        ['POST', '/v1/api-keys', 'jwt opaque session', 'api-keys:write', 'person, recent sign-in, live'],
        ['DELETE', '/v1/sessions/current', 'jwt opaque session', 'person'],
        ['GET', '/v1/reports/summary', 'jwt', 'reports:read', 'person, live'],
        [
          'PUT',
          '/v1/admin/users/:id/roles',
          'jwt opaque session',
          'admin:users',
          'person, recent sign-in, second factor where enrolled, live',
        ],
        // /room
      ])
        expect(rows).toContainEqual(row);
    });

    it('says that the database cannot be reached', async () => {
      const env = { DATABASE_URL: 'postgres://nobody:a-password@127.0.0.1:1/none' };
      expect(await run('routes', [], { env })).toEqual({
        code: 1,
        stdout: '',
        stderr: 'The database in DATABASE_URL cannot be reached.\n',
      });
    });
  });

  describe('migration', () => {
    it('runs all on an empty database, and reverts the last one', async () => {
      const database = await createDatabase({ empty: true });
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      const env = { DATABASE_URL: database.url };
      const all = await migrationsOf(context.server);
      const tables = (await tablesOf(context.server)).filter((name) => name !== 'probes');

      expect(await run('migration:run', [], { env })).toMatchObject({ code: 0, stderr: '' });
      expect(await migrationsOf(client)).toEqual(all);
      expect(await tablesOf(client)).toEqual(tables);

      expect(await run('migration:revert', [], { env })).toMatchObject({ code: 0, stderr: '' });
      expect(await migrationsOf(client)).toEqual(all.slice(0, -1));
      expect(tables).toEqual(expect.arrayContaining(await tablesOf(client)));

      await client.end();
      await database.drop();
    });

    const pathIn = (directory: string) => join(directory, 'next-step');

    it('brings the schema up to date, and refuses to generate when the entities match it', async () => {
      const database = await createDatabase({ empty: true });
      const directory = context.server.config.DATA_DIRECTORY;
      const env = { DATABASE_URL: database.url };
      expect(await run('migration:generate', [pathIn(directory)], { env })).toEqual({
        code: 1,
        stdout: '',
        stderr: 'Nothing to generate: the schema matches the entities.\n',
      });
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      expect(await migrationsOf(client)).toEqual(await migrationsOf(context.server));
      expect((await readdir(directory)).filter((name) => name.endsWith('.ts'))).toEqual([]);
      await client.end();
      await database.drop();
    });

    it('generates a file that compiles, is formatted, and brings the schema to the entities', async () => {
      const database = await createDatabase();
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      await client.query('ALTER TABLE subjects DROP CONSTRAINT subjects_kind_known');
      const env = { DATABASE_URL: database.url };
      // In the project, where its packages and its format are found.
      const directory = await mkdtemp(join('.data', 'test-migrations-'));
      const outcome = await run('migration:generate', [pathIn(directory)], { env });
      const [file] = await readdir(directory);
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
      expect(outcome.stdout).toMatch(
        /^\S+next-step\.ts\n.* declare NextStep\d{13} with defineMigrations\(\) in its room\.\n$/,
      );
      expect(file).toMatch(/^\d{13}-next-step\.ts$/);
      const path = join(directory, file!);
      const text = await readFile(path, 'utf8');
      expect(text).toContain('subjects_kind_known');
      expect(await format(text, { ...(await resolveConfig(path)), filepath: path })).toBe(text);
      expect(faultsOf(path)).toEqual([]);
      await rm(directory, { recursive: true });
      await client.end();
      await database.drop();
    });

    it('refuses a name that is no name of a file and a class', async () => {
      expect(await run('migration:generate', ['migrations/2nd step'])).toMatchObject({
        code: 1,
        stderr: 'migrations/2nd step: must end with a name such as add-order-notes\n',
      });
    });
  });

  it('start refuses arguments, which it would otherwise ignore', async () => {
    expect(await run('start', ['--port', '4000'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^--port: unknown option\n/),
    });
  });

  it.each(COMMANDS)('$name is explained by --help, without a database', async ({ name }) => {
    const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
    const { code, stdout, stderr } = await run(name, ['--help'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: npm run ${name}\\b.*\\n\\n.+\\.\\n`));
  });
});
