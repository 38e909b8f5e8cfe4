import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import ts from 'typescript';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { format, resolveConfig } from 'prettier';
import { DataSource } from 'typeorm';
import { command as createServiceAccount } from '../../src/extras/service-accounts/create-service-account.command.js';
import { command as createKey } from '../../src/modes/api-keys/create-key.command.js';
import { command as revokeKey } from '../../src/modes/api-keys/revoke-key.command.js';
import { type Command, commandNames } from '../../src/platform/commands/commands.js';
import { readArguments, type Usage } from '../../src/platform/commands/arguments.js';
import { createAdmin } from '../../src/accounts/admin/create-admin.command.js';
import { RouteTable } from '../../src/auth/route-table.js';
import { dataSourceOptions } from '../../src/platform/database/data-source.options.js';
import { built } from '../support/build.js';
import { createDatabase } from '../support/databases.js';
import { InProcessServer } from '../support/in-process.js';
import { sessionOf } from '../support/modes/session.js';
import type { Person } from '../support/person.js';
import { PASSWORD, useStarted } from '../support/server.js';
import { until } from '../support/until.js';

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

/** The scripts of package.json that run a file of the build: the file, and the first arguments. */
const { scripts } = createRequire(import.meta.url)('../../package.json') as {
  scripts: Record<string, string>;
};
const COMMANDS = Object.entries(scripts).flatMap(([name, script]) => {
  // The last of the forms for different shells.
  const [launcher, file, ...args] = script.split(' || ').at(-1)!.replace('node ', '').split(' ');
  return launcher === 'scripts/run.mjs' && file ? [{ name, file, args }] : [];
});

/** What the compiler says about a file, with the options of the project. */
function faultsOf(file: string): string[] {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, '.');
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([file], { ...options, noEmit: true }));
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

const usageOf = (script: string, { options = {} }: Command): Usage => ({ script, purpose: '', options });

describe('the command', () => {
  const context = useStarted(() => InProcessServer.start());

  /** Runs what an npm script runs, with a text on standard input, on the database of the test unless told. */
  async function run(command: string, args: string[], { input = '', env = {} } = {}): Promise<Outcome> {
    const { config } = context.server;
    const { file, args: first } = COMMANDS.find(({ name }) => name === command)!;
    const child = spawn(process.execPath, [built(file), ...first, ...args], {
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

  const own = () => ({ config: context.server.config, application: async () => context.server.app });

  const countUsers = async () =>
    (await context.server.dataSource.query('SELECT count(*)::int AS n FROM users'))[0].n as number;

  describe('admin:create', () => {
    it('makes an administrator, who can sign in with the password from standard input', async () => {
      const outcome = await run('admin:create', ['--email', 'Grace@Example.com'], {
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

    it('names the argument that it refuses, and repeats no password', async () => {
      const taken = await context.server.person();
      const users = await countUsers();
      const email = ['--email', 'new@example.com'];
      const stdout = jest.spyOn(console, 'log').mockReturnValue();
      for (const [argv, password, message] of [
        [['--email', taken.email], PASSWORD, '--email: a user with this address already exists'],
        [
          email,
          'password1',
          'The password must not be a common password, or one with digits or punctuation added.',
        ],
        [[], PASSWORD, `--email: is required\n${USAGE}`],
        [['--email', 'new'], PASSWORD, /^--email: [^\n]+$/],
        [[...email, PASSWORD], '', `argument 3: must be an option\n${USAGE}`],
        [[...email, ...email], '', `--email: must be given once\n${USAGE}`],
        [['--email'], '', `--email: must have a value\n${USAGE}`],
      ] as const) {
        const command = createAdmin(async () => password);
        const outcome = async () => command.run(own(), readArguments(usageOf('admin:create', command), argv));
        await expect(outcome()).rejects.toThrow(
          expect.objectContaining({
            name: 'UsageError',
            message: typeof message === 'string' ? message : expect.stringMatching(message),
          }),
        );
      }
      expect(stdout).not.toHaveBeenCalled();
      expect(await countUsers()).toBe(users);
    });

    it('takes no password from an argument, and does not repeat it', async () => {
      const outcome = await run('admin:create', ['--email', 'new@example.com', `--password=${PASSWORD}`]);
      expect(outcome).toEqual({
        code: 1,
        stdout: '',
        stderr: `--password: unknown option\n${USAGE}\n`,
      });
      expect(outcome.stderr).not.toContain(PASSWORD);
    });
  });

  describe('api-keys:create', () => {
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
      const outcome = await run('api-keys:create', args({ email, scopes, expires: '90d' }));
      expect(outcome).toMatchObject({ code: 0, stdout: expect.stringMatching(/^nk_test_\w{49}\n$/) });
      const key = outcome.stdout.trim();
      context.server.secrets.keep(key);
      const headers = { 'X-API-Key': key };
      const { body } = await context.server.anonymous.get('/v1/whoami', { headers });
      expect(body).toMatchObject({ subject: ada.id, scopes: scopes.split(',') });
      expect(outcome.stderr).toBe(`Key ${body.credentialId}. It is shown once:\n`);

      const view = (await (await sessionOf(ada)).get(`/v1/api-keys/${body.credentialId}`)).body;
      const lifetime = Date.parse(view.expiresAt) - Date.parse(view.createdAt);
      expect(view.name).toBe('From a shell');
      expect(Math.round(lifetime / 3_600_000)).toBe(90 * 24);
    });

    it('refuses an option that it does not know', async () => {
      expect(await run('api-keys:create', [...args(), '--owner', ada.id])).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(
          /^--owner: unknown option\nargument 8: must be an option\nUsage: npm run api-keys:create .*\n$/,
        ),
      });
    });

    it('refuses what makes no key, and names the option', async () => {
      const disabled = await context.server.person();
      await context.server.dataSource.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [
        disabled.id,
      ]);
      const stdout = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
      for (const [argv, message] of [
        [args({ email: 'nobody@example.com' }), /^--email: must be the address of an active user$/],
        [args({ email: disabled.email }), /^--email: must be the address of an active user$/],
        [args({ email: undefined }), /^--email, --service-account: exactly one is required$/],
        [args({ 'service-account': ada.id }), /^--email, --service-account: exactly one is required$/],
        [
          args({ email: undefined, 'service-account': ada.id }),
          /^--service-account: must be the id of an active service account$/,
        ],
        [args({ name: undefined }), /^--name: /],
        [args({ name: '' }), /^--name: /],
        [args({ scopes: undefined }), /^--scopes: /],
        [args({ scopes: 'orders:all' }), /^--scopes: /],
        [args({ scopes: 'admin:users' }), /^--scopes: /],
        [args({ scopes: 'orders:read,orders:read' }), /^--scopes: /],
        [args({ expires: 'tomorrow' }), /^--expires: must be a duration/],
        [args({ expires: '0' }), /^--expires: must be in the future/],
        [args({ expires: '9999d' }), /^--expires: must be in the future/],
      ] as const) {
        const outcome = async () =>
          createKey.run(own(), readArguments(usageOf('api-keys:create', createKey), argv));
        await expect(outcome()).rejects.toThrow(
          expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(message) }),
        );
      }
      expect(stdout).not.toHaveBeenCalled();
    });
  });

  describe('service-accounts:create and api-keys:revoke', () => {
    it('make a service account, a key of it, and an end of the key, without a person', async () => {
      const made = await run('service-accounts:create', ['--name', 'Billing']);
      expect(made).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^[0-9a-f-]{36}\n$/) });
      const owner = ['--service-account', made.stdout.trim()];
      const fields = ['--name', 'From a shell', '--scopes', 'orders:read'];
      const key = (await run('api-keys:create', [...owner, ...fields])).stdout.trim();
      context.server.secrets.keep(key);
      const headers = { 'X-API-Key': key };
      const { body } = await context.server.anonymous.get('/v1/whoami', { headers });
      expect(body).toMatchObject({ kind: 'service-account', subject: made.stdout.trim() });
      const revoke = ['--id', body.credentialId];
      expect(await run('api-keys:revoke', revoke)).toMatchObject({ code: 0, stderr: '' });
      await until(async () => {
        const { status } = await context.server.anonymous.get('/v1/whoami', { headers });
        return status === 401;
      });
      const again = revokeKey.run(own(), readArguments(usageOf('api-keys:revoke', revokeKey), revoke));
      await expect(again).rejects.toThrow('--id: must be the id of a key that is not revoked');
    });

    it('names the option of a service account that it refuses', async () => {
      for (const [argv, message] of [
        [['--name', ' '], /^--name: /],
        [['--name', 'x', '--audience', 'https://elsewhere.example.com'], /^--audience: must be one of /],
      ] as const) {
        const outcome = async () =>
          createServiceAccount.run(
            own(),
            readArguments(usageOf('service-accounts:create', createServiceAccount), argv),
          );
        await expect(outcome()).rejects.toThrow(
          expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(message) }),
        );
      }
    });
  });

  describe('routes', () => {
    it('prints every route, with who may call it', async () => {
      const { code, stdout, stderr } = await run('routes', []);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const [head, ...lines] = stdout.trimEnd().split('\n');
      const rows = lines.map((line) => line.split(/ {2,}/));
      expect(head!.split(/ {2,}/)).toEqual(['METHOD', 'PATH', 'ACCEPTS', 'SCOPES', 'ALSO']);
      const routes = context.server.app
        .get(RouteTable)
        .all()
        .filter(({ path }) => !path.startsWith('/v1/probes'));
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
      const tables = (await tablesOf(context.server.dataSource)).filter((name) => name !== 'probes');

      expect(await run('migration:run', [], { env })).toMatchObject({ code: 0, stderr: '' });
      expect(await migrationsOf(dataSource)).toEqual(all);
      expect(await tablesOf(dataSource)).toEqual(tables);

      expect(await run('migration:revert', [], { env })).toMatchObject({ code: 0, stderr: '' });
      expect(await migrationsOf(dataSource)).toEqual(all.slice(0, -1));
      expect(tables).toEqual(expect.arrayContaining(await tablesOf(dataSource)));

      await dataSource.destroy();
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
        stderr: 'There is nothing to generate: the schema has all that the entities have.\n',
      });
      const dataSource = await new DataSource(dataSourceOptions(database.url, 1)).initialize();
      expect(await migrationsOf(dataSource)).toEqual(await migrationsOf(context.server.dataSource));
      expect((await readdir(directory)).filter((name) => name.endsWith('.ts'))).toEqual([]);
      await dataSource.destroy();
      await database.drop();
    });

    it('generates a file that compiles, is formatted, and brings the schema to the entities', async () => {
      const database = await createDatabase();
      const dataSource = await new DataSource(dataSourceOptions(database.url, 1)).initialize();
      await dataSource.query('ALTER TABLE orders DROP COLUMN item');
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
      expect(text).toContain('ADD "item"');
      expect(await format(text, { ...(await resolveConfig(path)), filepath: path })).toBe(text);
      expect(faultsOf(path)).toEqual([]);
      await rm(directory, { recursive: true });
      await dataSource.destroy();
      await database.drop();
    });

    it('refuses a name that makes no file and no class', async () => {
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

  it('has a script for each that a room declares', () => {
    const called = COMMANDS.flatMap(({ file, args: [name] }) => (file.endsWith('run.js') ? [name] : []));
    expect(new Set(called)).toEqual(new Set(commandNames()));
    const misnamed = COMMANDS.filter(({ name, args: [called] }) => called !== undefined && called !== name);
    expect(misnamed).toEqual([]);
  });

  it.each(COMMANDS)('$name explains itself with --help, without a database', async ({ name }) => {
    const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
    const { code, stdout, stderr } = await run(name, ['--help'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: npm run ${name}\\b.*\\n\\n.+\\.\\n`));
  });
});
