import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Gone } from '../../tools/keep/gone.js';
import { House } from '../../tools/keep/house.js';
import { cutMarks } from '../../tools/keep/marks.js';
import { Page } from '../../tools/keep/pages.js';
import { planFor } from '../../tools/keep/plan.js';
import { Project } from '../../tools/keep/project.js';
import { removeUnusedLocals } from '../../tools/keep/unused.js';

const mode = (name: string) =>
  `declare module '../../auth/auth-modes.js' { interface AuthModes { '${name}': true } }`;

/** Not written out, since `keep` would take this file for a test of these modes. */
const accepts = (...modes: string[]) =>
  `@Authenticated({ modes: ${JSON.stringify(modes).replaceAll('"', "'")} })`;

/** A small project with rooms of the same names as here. */
const FILES: Record<string, string> = {
  'src/rooms.ts': `export { Sessions } from './modes/sessions/sessions.module.js';\nexport { Keys } from './modes/api-keys/keys.js';\n`,
  'src/accounts/subjects/subject.ts': 'export class Subject {}',
  'src/accounts/users/users.ts': `import { Subject } from '../subjects/subject.js';`,
  'src/accounts/admin/admin.ts': `import '../users/users.js';`,
  'src/modes/sessions/sessions.module.ts': `import '../../accounts/users/users.js';\n${mode('session')}`,
  'src/modes/api-keys/keys.ts': `import '../../accounts/subjects/subject.js';\n${mode('api-key')}`,
  'src/modes/tokens/tokens.ts': `import '../../accounts/users/users.js';`,
  'src/modes/jwt/jwt.ts': `import '../tokens/tokens.js';\n${mode('jwt')}`,
  'src/extras/oauth/oauth.ts': `import '../../modes/jwt/jwt.js'; import '../../modes/api-keys/keys.js';`,
  'src/examples/orders/orders.ts': `import '../../accounts/subjects/subject.js';`,
  'src/examples/events/events.ts': `${accepts('api-key')} class Events {}`,
  'src/shop/invoices/invoices.ts': `import '../../accounts/subjects/subject.js';`,
  'migrations/1795300000001-api-keys.ts': '',
  'migrations/1795300000002-sessions.ts': '',
  'docs/modes/api-keys.md': '',
  'test/support/modes/api-key.ts': '',
  'test/support/machines.ts': `import './modes/api-key.js';`,
  'test/accounts/users/users.spec.ts': `import '../../support/machines.js';`,
  'test/modes/sessions/sessions.spec.ts': '',
  'examples/clients/typescript/token-client.ts': '',
  'examples/clients/typescript/session-client.ts': '',
  'test/template/token-client.spec.ts': `import '../../examples/clients/typescript/token-client.js';`,
};

describe('npm run keep', () => {
  let root: string;

  const write = async (files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
  };
  const plan = (keep: string[], without: string[] = []) => planFor(new House(root), { keep, without });

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'keep-'));
    await write(FILES);
  });
  afterEach(() => rm(root, { recursive: true }));

  it('keeps the named modes, what they need, and the extras and examples that still can work', () => {
    const { kept, removed } = plan(['sessions']);
    expect(kept).toEqual([
      'accounts/admin',
      'accounts/subjects',
      'accounts/users',
      'examples/orders',
      'modes/sessions',
    ]);
    expect(removed.toSorted()).toEqual(['api-keys', 'events', 'jwt', 'oauth', 'tokens']);
  });

  it('removes accounts that nothing needs', () => {
    expect(plan(['api-keys']).removed).toEqual(expect.arrayContaining(['users', 'admin']));
  });

  it('takes tokens along with their format', () => {
    expect(plan(['jwt']).kept).toEqual(expect.arrayContaining(['modes/jwt', 'modes/tokens']));
  });

  it('keeps all modes if none is named', () => {
    expect(plan([], ['oauth']).removed).toEqual(['oauth']);
  });

  it('deletes the migration, the page, the credentials and the tests of a removed mode', () => {
    const { deleted } = plan(['sessions']);
    expect(deleted).toEqual(
      expect.arrayContaining([
        'src/modes/api-keys',
        'migrations/1795300000001-api-keys.ts',
        'docs/modes/api-keys.md',
        'test/support/modes/api-key.ts',
        'test/support/machines.ts',
        'test/accounts/users/users.spec.ts',
      ]),
    );
    expect(deleted.filter((path) => path.includes('sessions'))).toEqual([]);
  });

  it('deletes the programs of a removed room, and their tests', () => {
    const { deleted } = plan(['sessions']);
    expect(deleted).toEqual(
      expect.arrayContaining([
        'examples/clients/typescript/token-client.ts',
        'test/template/token-client.spec.ts',
      ]),
    );
    expect(deleted).not.toContain('examples/clients/typescript/session-client.ts');
  });

  it('removes the examples with --without examples', () => {
    expect(
      plan(['sessions', 'api-keys'], ['examples']).kept.filter((room) => room.startsWith('examples')),
    ).toEqual([]);
  });

  it('never removes a room that the owner added', () => {
    expect(plan(['sessions']).deleted.filter((path) => path.includes('invoices'))).toEqual([]);
  });

  it.each([
    ['imports it', `import '../../modes/api-keys/keys.js';`],
    ['declares its mode', `${accepts('session', 'api-key')} class Invoices {}`],
  ])('names code of the owner that needs a removed room because it %s', async (_, text) => {
    await write({ 'src/shop/invoices/invoices.ts': text });
    expect(() => plan(['sessions'])).toThrow(
      'src/shop/invoices/invoices.ts needs src/modes/api-keys/keys.ts',
    );
  });

  it('refuses to remove a room that a named one needs', () => {
    expect(() => plan(['sessions'], ['users'])).toThrow('users cannot be removed: sessions needs it.');
  });

  it('names the known rooms if a name is unknown', () => {
    expect(() => plan(['cookies'])).toThrow(/"cookies" is unknown\. Known names: .*sessions/);
  });

  it('removes locals that nothing uses, but no definition that registers something', async () => {
    await write({
      'tsconfig.json': '{ "files": ["one.ts", "other.ts"] }',
      'one.ts': '/** Unused. */\nconst unused = (a: number) => a;\nexport const used = 1;\n',
      'other.ts': `export {};\ndeclare function defineScopes(scopes: object): object;\nconst scopes = defineScopes({});\n`,
    });
    expect(removeUnusedLocals(root)).toBe(2);
    expect(await readFile(join(root, 'one.ts'), 'utf8')).toBe('export const used = 1;\n');
    expect(await readFile(join(root, 'other.ts'), 'utf8')).toContain('\ndefineScopes({});\n');
  });

  it('refuses to run with uncommitted changes', async () => {
    const git = (...options: string[]) => spawnSync('git', options, { cwd: root });
    git('init', '-q');
    git('add', '.');
    git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '-qm', 'first');
    expect(() => new Project(root).requireCommitted()).not.toThrow();
    await write({ 'src/new.ts': '' });
    expect(() => new Project(root).requireCommitted()).toThrow('There are uncommitted changes.');
  });
});

describe('a mark', () => {
  const removed = new Set(['api-keys', 'oauth']);

  it.each([
    ['a block', 'a\n<!-- room: oauth -->\nb\n<!-- /room -->\nc\n', 'a\n\nc\n'],
    ['a part of a sentence', 'one<!-- room: oauth --> and two<!-- /room -->.', 'one.'],
    ['a block of several rooms', '<!-- room: jwt, oauth -->b<!-- /room -->', ''],
    ['a row', '| a |\n| b <!-- room: oauth --> |\n| c |\n', '| a |\n| c |\n'],
    ['an item', '- a\n- b <!-- room: oauth -->\n- c\n', '- a\n- c\n'],
    ['a cell of a row', '| a<!-- room: oauth -->, b<!-- /room --> |\n', '| a |\n'],
    ['a block around another', '<!-- room: oauth -->a<!-- room: jwt -->b<!-- /room -->c<!-- /room -->d', 'd'],
    [
      'a block in another',
      '<!-- room: jwt -->a<!-- room: oauth -->b<!-- /room -->c<!-- /room -->d',
      '<!-- room: jwt -->ac<!-- /room -->d',
    ],
  ])('removes %s of a page with its room', (_, text, rest) => {
    expect(cutMarks('page.md', text, removed)).toBe(rest);
  });

  it.each([
    ['a script', 'a\n# room: oauth\nb\n# /room\nc\n', 'a\nc\n'],
    ['code', 'a\n  // room: oauth\n  b\n  // /room\nc\n', 'a\nc\n'],
  ])('removes lines of %s with their room', (_, text, rest) => {
    expect(cutMarks('some.ts', text, removed)).toBe(rest);
  });

  it('stays with a room that stays', () => {
    const text = 'a\n<!-- room: sessions -->\nb\n<!-- /room -->\n| c <!-- room: jwt --> |\n';
    expect(cutMarks('page.md', text, removed)).toBe(text);
  });

  it.each([
    [
      'a page in a string of code',
      'some.ts',
      `'a<!-- room: oauth -->b<!-- /room -->'\n| 'c <!-- room: oauth -->'\n`,
    ],
    ['a script in a page', 'page.md', '```sh\n# room: oauth\nnpm start\n# /room\n```\n'],
  ])('of %s is left as it is', (_, file, text) => {
    expect(cutMarks(file, text, removed)).toBe(text);
  });
});

describe('a page', () => {
  const gone = new Gone(
    new Map([
      ['jwt', 'name'],
      ['v1/gone', 'name'],
      ['JWT_ALGORITHM', 'setting'],
      ['npm run gone', 'script'],
      ['jwtOf', 'export'],
    ]),
    ['oauth'],
  );
  const page = new Page(process.cwd(), 'docs/commands.md', gone);

  it.each([
    ['a row with a link to a page that is gone', '| [a](nowhere.md) |\n| b |', '| b |'],
    ['an item with such a link', '- [a](nowhere.md)\n- [b](commands.md)', '- [b](commands.md)'],
    [
      'a sentence with such a link',
      'A sentence. It has [a link](nowhere.md). Another one.',
      'A sentence. Another one.',
    ],
    ['a sentence of an item', '- **A.** One. [Two](nowhere.md).\n- b', '- **A.** One.\n- b'],
    ['a sentence that names a mode', 'Use it. Or use `jwt`. That is all.', 'Use it. That is all.'],
    ['a sentence that names an export', 'Use `jwtOf(ada)`. That is all.', 'That is all.'],
    ['the row of a setting', '| `JWT_ALGORITHM` | x |\n| `PORT` | y |', '| `PORT` | y |'],
    ['the row of a script', '| `npm run gone` | x |\n| `npm test` | y |', '| `npm test` | y |'],
    [
      'a line of code',
      '```sh\ncurl $URL/v1/gone/1\ncurl $URL/v1/oauth\n```',
      '```sh\ncurl $URL/v1/oauth\n```',
    ],
    ['the tour mark of code that goes', '<!-- tour -->\n\n```sh\nnpm run gone\n```\n\na', 'a'],
    ['no other tour mark', '`jwt`\n\n<!-- tour -->\n\n```sh\na\n```', '<!-- tour -->\n\n```sh\na\n```'],
    ['a name in a list', 'Extras: `oauth`, `usage`, `alerts`', 'Extras: `usage`, `alerts`'],
    ['the first name in a list of two', 'Extras: `oauth` or `usage`', 'Extras: `usage`'],
    ['the last name in a list', 'Extras: `usage`, `alerts` and `oauth`', 'Extras: `usage`, `alerts`'],
    ['a name in a cell', '| `oauth` `usage` | x |\n| `a` `oauth` | y |', '| `usage` | x |\n| `a` | y |'],
    ['a name in a tree', '```\nextras/     oauth  usage\n```', '```\nextras/     usage\n```'],
    ['a folder of which nothing is left', '```\nextras/     oauth\nweb/  http\n```', '```\nweb/  http\n```'],
    ['a section of which nothing is left', '# A\n\n## B\n\n- `jwt`\n\n# C\n\nc', '# C\n\nc'],
    ['no marks', '## A\n\n`jwt`\n\n<!-- room: a -->\n\n# B\n\nb', '<!-- room: a -->\n\n# B\n\nb'],
    [
      'the sentence that leads to what is gone',
      'A sentence. Run this:\n\n```sh\nnpm run gone\n```\n\nb',
      'A sentence.\n\nb',
    ],
  ])('loses %s', (_, text, rest) => {
    expect(page.cut(`${text}\n`)).toBe(`${rest}\n`);
  });

  it('that names nothing that is gone stays as it is', () => {
    const text = 'A `jwt-like` name, `a:jwt`,\nand `/v1/oauth`.\n\n\n[A link](commands.md).\n';
    expect(page.cut(text)).toBe(text);
  });

  it('has a number for each line that still names what is gone', () => {
    expect(page.left('a\n## `oauth`\n| b | `jwt` |\n```\nnpm run gone\n```\noauth\n')).toEqual([2, 3, 5]);
  });
});
