import { afterEach, describe, expect, it, jest } from '@jest/globals';
// room: admin
import { createAdmin } from '../../src/accounts/admin/create-admin.command.js';
// /room
// room: service-accounts
import { command as createServiceAccount } from '../../src/extras/service-accounts/create-service-account.command.js';
// /room
// room: api-keys
import { apiKeyOf } from '../support/modes/api-key.js';
import { createKey, revokeKey } from '../../src/modes/api-keys/api-keys.commands.js';
// /room
import { readArguments } from '../../src/platform/commands/arguments.js';
import { type Command, commandNames } from '../../src/platform/commands/commands.js';
import { COMMANDS, runCommand } from '../support/commands.js';
import { InProcessServer } from '../support/in-process.js';
import { PASSWORD, useStarted } from '../support/server.js';

describe('the command', () => {
  const context = useStarted(() => InProcessServer.start());
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const own = () => ({ config: context.server.config, application: async () => context.server.app });
  /** Calls a command in this process. It must refuse its arguments with this message. */
  const expectRefusal = async (
    script: string,
    command: Command,
    argv: readonly string[],
    message: string | RegExp,
  ) => {
    const { options = {} } = command;
    const outcome = async () => command.run(own(), readArguments({ script, purpose: '', options }, argv));
    await expect(outcome()).rejects.toThrow(
      expect.objectContaining({
        name: 'UsageError',
        message: typeof message === 'string' ? message : expect.stringMatching(message),
      }),
    );
  };

  // room: admin
  describe('admin:create', () => {
    const USAGE = 'Usage: npm run admin:create -- --email ada@example.com';

    it('names the argument that it refuses, and does not repeat a password', async () => {
      const taken = await context.server.person();
      const count = () => context.server.query('SELECT count(*)::int AS n FROM users');
      const users = await count();
      const email = ['--email', 'new@example.com'];
      const stdout = jest.spyOn(console, 'log').mockReturnValue();
      for (const [argv, password, message] of [
        [['--email', taken.email], PASSWORD, '--email: a user with this address already exists'],
        [
          email,
          'password1',
          'The password must not be a common password, also with digits or punctuation added.',
        ],
        [[], PASSWORD, `--email: is required\n${USAGE}`],
        [['--email', 'new'], PASSWORD, /^--email: [^\n]+$/],
        [[...email, PASSWORD], '', `argument 3: must be an option\n${USAGE}`],
        [[...email, ...email], '', `--email: must be given once\n${USAGE}`],
        [['--email'], '', `--email: must have a value\n${USAGE}`],
      ] as const) {
        await expectRefusal(
          'admin:create',
          createAdmin(async () => password),
          argv,
          message,
        );
      }
      expect(stdout).not.toHaveBeenCalled();
      expect(await count()).toEqual(users);
    });
  });
  // /room

  // room: api-keys, service-accounts
  describe('api-keys:create', () => {
    it('refuses arguments that make no key, and names the option', async () => {
      const { id } = await context.server.serviceAccount();
      const disabled = await context.server.serviceAccount();
      await context.server.query(`UPDATE service_accounts SET status = 'disabled' WHERE id = $1`, [
        disabled.id,
      ]);
      const args = (changes: Record<string, string | undefined> = {}) =>
        Object.entries({
          'service-account': id,
          name: 'From a shell',
          scopes: 'probes:read',
          ...changes,
        }).flatMap(([option, value]) => (value === undefined ? [] : [`--${option}`, value]));
      const nobody = '01890000-0000-7000-8000-000000000000';
      const stdout = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
      for (const [argv, message] of [
        [
          args({ 'service-account': nobody }),
          /^--service-account: must be the id of an active service account$/,
        ],
        [
          args({ 'service-account': disabled.id }),
          /^--service-account: must be the id of an active service account$/,
        ],
        [args({ 'service-account': undefined }), /: exactly one is required$/],
        // room: own-api-keys
        [
          args({ 'service-account': undefined, email: 'nobody@example.com' }),
          /^--email: must be the email address of an active user$/,
        ],
        [args({ email: 'nobody@example.com' }), /^--email, --service-account: exactly one is required$/],
        // /room
        [args({ name: undefined }), /^--name: /],
        [args({ name: '' }), /^--name: /],
        [args({ scopes: undefined }), /^--scopes: /],
        [args({ scopes: 'probes:all' }), /^--scopes: /],
        [args({ scopes: 'admin:users' }), /^--scopes: /],
        [args({ scopes: 'probes:read,probes:read' }), /^--scopes: /],
        [args({ expires: 'tomorrow' }), /^--expires: must be a duration/],
        [args({ expires: '0' }), /^--expires: must be in the future/],
        [args({ expires: '9999d' }), /^--expires: must be in the future/],
      ] as const) {
        await expectRefusal('api-keys:create', createKey, argv, message);
      }
      expect(stdout).not.toHaveBeenCalled();
    });
  });

  describe('api-keys:revoke', () => {
    it('refuses a key that is already revoked', async () => {
      const key = await apiKeyOf(await context.server.serviceAccount(), ['probes:read']);
      await context.server.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [key.id]);
      const message = '--id: must be the id of a key that is not revoked';
      await expectRefusal('api-keys:revoke', revokeKey, ['--id', key.id], message);
    });
  });
  // /room

  // room: service-accounts
  describe('service-accounts:create', () => {
    it('names the option that it refuses', async () => {
      for (const [argv, message] of [
        [['--name', ' '], /^--name: /],
        [['--name', 'x', '--audience', 'https://elsewhere.example.com'], /^--audience: must be one of /],
      ] as const) {
        await expectRefusal('service-accounts:create', createServiceAccount, argv, message);
      }
    });
  });
  // /room

  it('has a script if a room declares it', () => {
    const called = COMMANDS.flatMap(({ file, args: [name] }) => (file.endsWith('run.js') ? [name] : []));
    expect(new Set(called)).toEqual(new Set(commandNames()));
    const misnamed = COMMANDS.filter(({ name, args: [called] }) => called !== undefined && called !== name);
    expect(misnamed).toEqual([]);
  });

  it('is explained by --help, without a database', async () => {
    const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
    const { code, stdout, stderr } = await runCommand('routes', ['--help'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: npm run routes\n\n.+\.\n/);
  });
});
