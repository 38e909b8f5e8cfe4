import { hash } from '@node-rs/bcrypt';
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { importUsers } from '../../../src/extras/foreign-passwords/import-users.command.js';
import { InProcessServer } from '../../support/in-process.js';
import { signIns } from '../../support/modes/any.js';
import { useStarted } from '../../support/server.js';

const { path, fields } = signIns[0]!;
const PASSWORD = 'a password from elsewhere';

describe('npm run users:import', () => {
  const context = useStarted(() => InProcessServer.start({ env: { FOREIGN_PASSWORDS: 'on' } }));
  let stored: string;
  beforeAll(async () => {
    stored = await hash(PASSWORD, 4);
  });
  beforeEach(() => context.server.query(`DELETE FROM subjects WHERE kind = 'user'`));

  /** What the command prints for an input. */
  const run = async (input: string | Buffer | undefined, config = context.server.config): Promise<string> => {
    const print = jest.spyOn(console, 'log').mockReturnValue();
    const bytes = typeof input === 'string' ? Buffer.from(input) : input;
    try {
      const command = importUsers(async () => bytes);
      await command.run({ config, application: async () => context.server.app }, {});
      return String(print.mock.calls[0]![0]);
    } finally {
      print.mockRestore();
    }
  };
  const users = () =>
    context.server.query(
      `SELECT u.email, u.name, u.password_hash AS hash, u.email_verified_at IS NOT NULL AS verified, u.roles, u.status
       FROM users u JOIN subjects s ON s.id = u.id AND s.kind = 'user' ORDER BY u.email`,
    );
  const csv = (...rows: string[]) => ['email,password_hash,email_verified', ...rows, ''].join('\r\n');
  const expectRefusal = async (input: string | Buffer | undefined, message: string | RegExp) => {
    const refusal = await run(input).catch((error: Error) => error);
    expect(refusal).toMatchObject({ name: 'UsageError', message: expect.stringMatching(message) });
    expect(String(refusal)).not.toContain(stored);
    expect(await users()).toEqual([]);
  };

  const ada = {
    email: 'ada@example.com',
    name: 'Ada',
    hash: '',
    verified: true,
    roles: [],
    status: 'active',
  };

  it('creates users from CSV, who can sign in with their password', async () => {
    const input = `\uFEFFemail,name,password_hash,email_verified\nAda@Example.com,"Ada",${stored},t\ngrace@example.com,,${stored},\n`;
    expect(await run(input)).toMatch(/^Imported 2 of 2 users\./);
    expect(await users()).toEqual([
      { ...ada, hash: stored },
      { ...ada, email: 'grace@example.com', name: null, hash: stored, verified: false },
    ]);
    const answer = await context.server.anonymous.post(path, {
      email: 'ada@example.com',
      password: PASSWORD,
      ...fields,
    });
    expect(answer.status).toBe(201);
  });

  it('creates users from JSON lines', async () => {
    const lines = [
      { email: 'ada@example.com', name: 'Ada', password_hash: stored, email_verified: true },
      { email: 'grace@example.com', name: null, password_hash: stored },
    ];
    await run(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n\n`);
    expect(await users()).toEqual([
      { ...ada, hash: stored },
      { ...ada, email: 'grace@example.com', name: null, hash: stored, verified: false },
    ]);
  });

  it('accepts argon2id', async () => {
    const argon2 = (await context.server.person()) && (await users())[0].hash;
    await context.server.query(`DELETE FROM subjects WHERE kind = 'user'`);
    await run(csv(`ada@example.com,"${argon2}",true`));
    expect(await users()).toMatchObject([{ hash: argon2 }]);
  });

  it('changes no existing user, so it can run again', async () => {
    await run(csv(`ada@example.com,${stored},true`));
    const before = await users();
    const other = await hash('another password', 4);
    expect(await run(csv(`ada@example.com,${other},false`))).toMatch(/^Imported 0 of 1 users\./);
    expect(await users()).toEqual(before);
    const rest = csv(`ada@example.com,${other},false`, `grace@example.com,${other},false`);
    expect(await run(rest)).toMatch(/^Imported 1 of 2 users\./);
  });

  it('creates more users than one statement takes, and records the number', async () => {
    const rows = Array.from({ length: 1500 }, (_, i) => `user-${i}@example.com,${stored},true`);
    expect(await run(csv(...rows))).toMatch(/^Imported 1500 of 1500 users\./);
    expect(await users()).toHaveLength(1500);
    expect(context.server.entries().findLast(({ event }) => event === 'users.imported')).toMatchObject({
      users: 1500,
    });
  });

  it('names the line of each fault, and imports nothing', async () => {
    const good = `grace@example.com,${stored},true`;
    for (const [row, message] of [
      [`ada,${stored},true`, 'line 3: email: must be an email address'],
      [`ada@example.com,${stored},yes`, 'line 3: email_verified: must be true or false'],
      [`ada@example.com,,true`, 'line 3: password_hash: '],
      [`ada@example.com,${PASSWORD},true`, 'line 3: password_hash: stored hash is not argon2id'],
      [`ada@example.com,${stored.replace('$04$', '$31$')},true`, 'line 3: password_hash: .* too high'],
      [`GRACE@example.com,${stored},true`, 'line 3: email: is also in line 2'],
      [`ada@example.com,${stored}`, 'line 3: must be CSV with a header'],
      [`ada@example.com,"${stored},true`, 'line \\d: must be CSV with a header'],
    ] as const)
      await expectRefusal(csv(good, row), new RegExp(`^${message}[^]*\\nNothing was imported\\.$`));
  });

  it.each([
    [
      'another column',
      `email,password_hash,role\nada@example.com,x,admin\n`,
      /^line 2: has other fields than/,
    ],
    ['no header', `ada@example.com,x,true\ngrace@example.com,x,true\n`, /^line 2: /],
    ['no address', '{"password_hash":"x"}', /^line 1: email: is required/],
    ['text that is no JSON', '{"email":\n', /^line 1: must be a JSON object/],
    ['another value of JSON', '{"email":1,"password_hash":"x"}\n[]\n', /line 2: must be an object/],
    ['bytes that are no UTF-8', Buffer.from([0xff, 0xfe]), /^Standard input must be UTF-8\.$/],
    ['too much', undefined, /^Standard input must have at most \d+ bytes\.$/],
    ['nothing', '', /^Standard input must contain at least one user\.$/],
    ['a header alone', csv(), /^Standard input must contain at least one user\.$/],
  ])('refuses %s', async (_what, input, message) => {
    await expectRefusal(input, message);
  });

  it('shows twenty faults', async () => {
    const rows = Array.from({ length: 30 }, () => `nobody,${stored},true`);
    await expectRefusal(csv(...rows), /line 21: [^\n]+\nand 10 more\nNothing was imported\.$/);
  });

  it('names the setting that accepts foreign hashes', async () => {
    const off = { ...context.server.config, FOREIGN_PASSWORDS: false };
    await expect(run(csv('ada,x,true'), off)).rejects.toThrow(/Set FOREIGN_PASSWORDS=on/);
  });
});
