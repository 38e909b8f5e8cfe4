import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { run as createKey } from '../../src/api-keys/create-key.command.js';
import { run as createAdmin } from '../../src/commands/create-admin.command.js';
import { RouteTable } from '../../src/auth/route-table.js';
import { dataSourceOptions } from '../../src/database/data-source.options.js';
import { built } from '../support/build.js';
import { createDatabase } from '../support/databases.js';
import type { Person } from '../support/person.js';
import { PASSWORD, useServer } from '../support/server.js';

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const USAGE = 'Usage: npm run admin:create -- --email ada@example.com';

const tablesOf = async (dataSource: DataSource): Promise<string[]> => {
  const rows = await dataSource.query(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace`,
  );
  return rows.map(({ name }: { name: string }) => name).toSorted();
};
const migrationsOf = async (dataSource: DataSource): Promise<string[]> => {
  const rows = await dataSource.query('SELECT name FROM migrations ORDER BY id');
  return rows.map(({ name }: { name: string }) => name);
};

// A process that starts the application takes more than a second, and several run at once.
jest.setTimeout(120_000);

/** As the scripts of package.json call them. */
const COMMANDS: Record<string, string> = {
  'admin-create': 'src/commands/admin-create.js',
  'keys-create': 'src/api-keys/keys-create.js',
  migration: 'src/commands/migration.js',
  routes: 'src/commands/routes.js',
};

describe('the command', () => {
  const context = useServer();

  /** Runs what an npm script runs, with a text on standard input, on the database of the test unless told. */
  async function run(command: string, args: string[], { input = '', env = {} } = {}): Promise<Outcome> {
    const { config } = context.server;
    const child = spawn(process.execPath, [built(COMMANDS[command]!), ...args], {
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: config.DATABASE_URL,
        ENCRYPTION_SECRETS: config.ENCRYPTION_SECRETS.join(','),
        DATA_DIRECTORY: config.DATA_DIRECTORY,
        LOG_LEVEL: 'debug',
        ...env,
      },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.stdin.on('error', () => undefined); // who refuses the arguments reads no password
    child.stdin.end(input);
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, stdout, stderr };
  }

  afterEach(() => {
    jest.restoreAllMocks();
  });

  const countUsers = async () =>
    (await context.server.dataSource.query('SELECT count(*)::int AS n FROM users'))[0].n as number;

  describe('admin:create', () => {
    it('makes an administrator, who can sign in with the password from standard input', async () => {
      const outcome = await run('admin-create', ['--email', 'Grace@Example.com'], {
        input: `${PASSWORD}\r\n`,
      });
      expect(outcome).toEqual({
        code: 0,
        stdout: 'grace@example.com is an administrator now.\n',
        stderr: '',
      });
      // The real cost: the server of the tests has a cheaper one.
      expect(
        await context.server.dataSource.query(
          `SELECT password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%' AS real FROM users WHERE email = 'grace@example.com'`,
        ),
      ).toEqual([{ real: true }]);
      const { status, body } = await context.server.anonymous.post('/v1/sessions', {
        email: 'grace@example.com',
        password: PASSWORD,
      });
      expect(status).toBe(201);
      expect(body.user).toMatchObject({ roles: ['admin'], emailVerified: true });
    });

    it('refuses on standard error, with 1, and repeats no password', async () => {
      const taken = await context.server.person();
      const users = await countUsers();
      const email = ['--email', 'new@example.com'];
      const stdout = jest.spyOn(console, 'log').mockReturnValue();
      const stderr = jest.spyOn(console, 'error').mockReturnValue();
      for (const [argv, password, message] of [
        [['--email', taken.email], PASSWORD, 'There is a user with this address already.'],
        [
          email,
          'password1',
          'The password must not be a common password, or one with digits or punctuation added.',
        ],
        [[], PASSWORD, USAGE],
        [['--email', 'new'], PASSWORD, USAGE],
        [[...email, PASSWORD], '', USAGE],
      ] as const) {
        stderr.mockClear();
        expect([argv, await createAdmin(context.server.app, [...argv], async () => password)]).toEqual([
          argv,
          1,
        ]);
        expect(stderr.mock.calls).toEqual([[message]]);
      }
      expect(stdout).not.toHaveBeenCalled();
      expect(await countUsers()).toBe(users);
    });

    it('takes no password from an argument, and does not repeat it', async () => {
      const outcome = await run('admin-create', ['--email', 'new@example.com', `--password=${PASSWORD}`]);
      expect(outcome).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^Unknown option '--password'\..*\n$/),
      });
      expect(outcome.stderr).not.toContain(PASSWORD);
    });
  });

  describe('keys:create', () => {
    let ada: Person;
    beforeAll(async () => {
      ada = await context.server.person();
    });
    const args = (changes: Record<string, string | undefined> = {}) =>
      Object.entries({ email: ada.email, name: 'From a shell', scopes: 'orders:read', ...changes }).flatMap(
        ([name, value]) => (value === undefined ? [] : [`--${name}`, value]),
      );

    it('prints a key that works, and nothing else on standard output', async () => {
      const scopes = 'orders:read,events:write';
      const email = ada.email.toUpperCase();
      const outcome = await run('keys-create', args({ email, scopes, expires: '90d' }));
      expect(outcome).toMatchObject({ code: 0, stdout: expect.stringMatching(/^nk_test_\w{49}\n$/) });
      const key = outcome.stdout.trim();
      context.server.secrets.keep(key);
      const headers = { 'X-API-Key': key };
      const { body } = await context.server.anonymous.get('/v1/whoami', { headers });
      expect(body).toMatchObject({ subject: ada.id, scopes: scopes.split(',') });
      expect(outcome.stderr).toBe(`Key ${body.credentialId} of ${ada.email}. It is shown once:\n`);

      const view = (await (await ada.session()).get(`/v1/api-keys/${body.credentialId}`)).body;
      const lifetime = Date.parse(view.expiresAt) - Date.parse(view.createdAt);
      expect(view.name).toBe('From a shell');
      expect(Math.round(lifetime / 3_600_000)).toBe(90 * 24);
    });

    it('refuses an option that it does not know', async () => {
      expect(await run('keys-create', [...args(), '--owner', ada.id])).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^Unknown option '--owner'\n.*npm run keys:create .*\n$/),
      });
    });

    it('refuses what makes no key, and names the option', async () => {
      const disabled = await context.server.person();
      await context.server.dataSource.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [
        disabled.id,
      ]);
      const stdout = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
      const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
      for (const [argv, message] of [
        [args({ email: 'nobody@example.com' }), /^There is no active user nobody@example\.com\.$/m],
        [args({ email: disabled.email }), /^There is no active user/],
        [args({ email: undefined }), /^--email is missing\.$/m],
        [args({ name: undefined }), /^--name: /],
        [args({ name: '' }), /^--name: /],
        [args({ scopes: undefined }), /^--scopes: /],
        [args({ scopes: 'orders:all' }), /^--scopes: /],
        [args({ scopes: 'admin:users' }), /^--scopes: /],
        [args({ scopes: 'orders:read,orders:read' }), /^--scopes: /],
        [args({ expires: 'tomorrow' }), /^--expires: is no duration/],
        [args({ expires: '0' }), /^--expires: must be in the future/],
        [args({ expires: '9999d' }), /^--expires: must be in the future/],
      ] as const) {
        stderr.mockClear();
        expect([argv, await createKey(context.server.app, [...argv])]).toEqual([argv, 1]);
        expect(stderr.mock.calls.join('')).toMatch(message);
      }
      expect(stdout).not.toHaveBeenCalled();
    });
  });

  describe('routes', () => {
    it('prints every route, with who may call it', async () => {
      const { code, stdout, stderr } = await run('routes', []);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const [head, ...lines] = stdout.trimEnd().split('\n');
      const rows = lines.map((line) => line.split(/ {2,}/));
      expect(head!.split(/ {2,}/)).toEqual(['METHOD', 'PATH', 'ACCEPTS', 'SCOPES', 'ALSO']);
      const routes = context.server.app.get(RouteTable).all();
      expect(rows.map(([method, path]) => `${method} ${path}`).toSorted()).toEqual(
        routes.map(({ method, path }) => `${method} ${path}`).toSorted(),
      );
      // By hand, so that the table is not compared with itself.
      for (const row of [
        ['GET', '/health/live', 'public'],
        ['POST', '/v1/sessions', 'public', 'same origin'],
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
          'person, recent sign-in, live',
        ],
      ])
        expect(rows).toContainEqual(row);
    });

    it('says plainly that the database cannot be reached', async () => {
      const env = { DATABASE_URL: 'postgres://nobody:a-password@127.0.0.1:1/none' };
      expect(await run('routes', [], { env })).toEqual({
        code: 1,
        stdout: '',
        stderr: 'The database that DATABASE_URL names cannot be reached.\n',
      });
    });
  });

  describe('migration', () => {
    it('runs all on an empty database, and reverts the last one', async () => {
      const database = await createDatabase({ empty: true });
      const dataSource = await new DataSource(dataSourceOptions(database.url, 1)).initialize();
      const env = { DATABASE_URL: database.url };
      const all = await migrationsOf(context.server.dataSource);
      const tables = await tablesOf(context.server.dataSource);

      expect(await run('migration', ['run'], { env })).toMatchObject({ code: 0, stderr: '' });
      expect(await migrationsOf(dataSource)).toEqual(all);
      expect(await tablesOf(dataSource)).toEqual(tables);

      expect(await run('migration', ['revert'], { env })).toMatchObject({ code: 0, stderr: '' });
      expect(await migrationsOf(dataSource)).toEqual(all.slice(0, -1));
      expect(tables).toEqual(expect.arrayContaining(await tablesOf(dataSource)));

      await dataSource.destroy();
      await database.drop();
    });

    it('finds nothing to generate: the entities are what the migrations make', async () => {
      const outcome = await run('migration', [
        'generate',
        join(context.server.config.DATA_DIRECTORY, 'next'),
      ]);
      expect(outcome).toMatchObject({ code: 1, stdout: expect.stringContaining('No changes') });
    });

    it('says how it is called where it is called otherwise', async () => {
      expect(await run('migration', ['drop'])).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^Usage: npm run migration:run .*\n$/),
      });
    });
  });
});
