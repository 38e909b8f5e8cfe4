import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import '../../src/app.js';
import { settingNames } from '../../src/platform/config/settings.js';
import { findProblem } from '../../src/platform/problems/problem.js';
import { cutMarks } from '../../tools/keep/marks.js';
import { FOLLOWING, MODES, nameOf, NEEDED, PROGRAMS } from '../../tools/keep/template.js';
import { useServer } from '../support/server.js';

const NOT_OURS = /(^|\/)(node_modules|dist|coverage|\.data|\.git)(\/|$)|^CHANGELOG\.md$/;
/** Routes and files of the example project, of pages that a recipe adds, and of the other service of the examples. */
const OF_OTHERS =
  /invoices|payments|avatar|webhooks|billing|contact|shipments|^\/(orders|sign-in)$|[<…*]|\.\.\.|^test\/probes$/;

async function filesIn(folder: string, pattern: RegExp): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries.map(async (entry): Promise<string[]> => {
    const path = join(folder, entry.name);
    if (NOT_OURS.test(path)) return [];
    if (entry.isDirectory()) return filesIn(path, pattern);
    return pattern.test(path) ? [path] : [];
  });
  return (await Promise.all(found)).flat();
}

const read = (path: string) => readFile(path, 'utf8');
const manifest = JSON.parse(await read('package.json'));
const pages = new Map<string, string>();
for (const path of await filesIn('.', /\.md$/)) pages.set(path, await read(path));
const documents = [...pages.keys()];
const all = (page: string, pattern: RegExp) => [...page.matchAll(pattern)].map((match) => match.slice(1));
/** Inline code of a page. */
const codeIn = (page: string): string[] =>
  all(page.replaceAll(/^```[\s\S]*?^```/gm, ''), /`([^`\n]+)`/g).map(([code]) => code!);

const TEST_LINK = /\[([^\]]+)\]\(([^)\s]+\.spec\.ts)\)/g;
const ID = /\[(?:V|RFC 9700 )[\d.]+\] /g;
/** The end of the name of a test that runs for several cases. */
const CASE = /(?:, if| for|:)? \(?(?:%\w|\$\w+)\)?(?=['"`])/g;
/** Whether a spec has a test or a group of tests of that name, without ids of requirements. `…` stands for the case. */
function hasTest(spec: string, name: string): boolean {
  const names = spec
    .replaceAll(ID, '')
    .replaceAll(CASE, '')
    .replaceAll(/%\w|\$\w+/g, '…')
    .replaceAll('\\', '');
  return ["'", '"', '`'].some((quote) => names.includes(`${quote}${name}${quote}`));
}

describe('a test that a document names', () => {
  const cited = (page: string) =>
    all(page, TEST_LINK).filter(([name]) => !/\.spec\.ts$|^\w+ test$/.test(name!));

  it.each(documents)('of %s exists', async (path) => {
    const missing: string[] = [];
    for (const [name, file] of cited(pages.get(path)!)) {
      const spec = join(dirname(path), file!);
      if (!existsSync(spec) || !hasTest(await read(spec), name!)) missing.push(`${file}: ${name}`);
    }
    expect(missing).toEqual([]);
  });

  it.each(documents)('of %s goes with its room', async (path) => {
    const left: string[] = [];
    for (const room of [...MODES, ...NEEDED, ...FOLLOWING].map(nameOf)) {
      if (basename(path, '.md') === room || PROGRAMS[path]?.includes(room)) continue;
      const removed = new Set([room]);
      for (const [name, file] of cited(cutMarks(path, pages.get(path)!, removed))) {
        const spec = join(dirname(path), file!);
        if (!hasTest(cutMarks(spec, await read(spec), removed), name!)) left.push(`${room}: ${name}`);
      }
    }
    expect(left).toEqual([]);
  });
});

describe('a route that a document names', () => {
  const context = useServer();
  let routes: string[];
  beforeAll(async () => {
    routes = (await context.server.routes()).map(
      ({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, ':')}`,
    );
  });
  const pathOf = (text: string) => text.replace(/[?#].*/, '').replaceAll(/(:\w+|\{\w+\}|<\w+>)/g, ':');

  it.each(documents)('of %s has that method and path', (path) => {
    const page = pages.get(path)!;
    const named = [
      ...all(page, /\b(GET|POST|PUT|PATCH|DELETE) (\/[\w./:{}<>?=&-]*)/g),
      ...codeIn(page).flatMap((code) =>
        all(code, /^()(\/(?:v1|oauth|health|\.well-known)\/[\w./:{}<>-]*)$/g),
      ),
    ].filter(([, route]) => !OF_OTHERS.test(route!));
    const missing = named.filter(
      ([method, route]) =>
        !routes.some((known) =>
          method ? known === `${method} ${pathOf(route!)}` : known.endsWith(` ${pathOf(route!)}`),
        ),
    );
    expect(missing).toEqual([]);
  });
});

describe('a problem that a document names', () => {
  it.each(documents)('of %s exists and has that status', (path) => {
    const named = [
      ...all(pages.get(path)!, /\b([45]\d\d) `([a-z][a-z-]+)`/g),
      ...all(pages.get(path)!, /()\/problems\/([a-z][a-z-]+)/g),
    ];
    expect(
      named.filter(([status, slug]) => {
        const problem = findProblem(slug!);
        return !problem || (status !== '' && problem.status !== Number(status));
      }),
    ).toEqual([]);
  });
});

describe('a variable that a document names', () => {
  let code: string;
  beforeAll(async () => {
    const files = await filesIn('.', /\.[mc]?[jt]s$|\.sh$|^\.ci\/|\.ya?ml$/);
    code = (await Promise.all(files.map(read))).join('\n');
  });

  it.each(documents)('of %s is a setting, or a name in the code', (path) => {
    const named = codeIn(pages.get(path)!).flatMap((text) =>
      all(text, /^([A-Z][A-Z\d]*(?:_[A-Z\d]+)+)(?:=.*)?$/g),
    );
    const settings = new Set(settingNames());
    const missing = named.filter(([name]) => !settings.has(name!) && !new RegExp(`\\b${name}\\b`).test(code));
    expect(missing).toEqual([]);
  });
});

describe('a command that a document names', () => {
  it.each(documents)('of %s is a script', (path) => {
    const named = all(pages.get(path)!, /\bnpm run (?:-s |--silent )?([a-z][\w:-]*)/g);
    expect(named.filter(([name]) => !(name! in manifest.scripts))).toEqual([]);
  });
});

describe('a file that a document names', () => {
  it.each(documents)('of %s exists', (path) => {
    const named = codeIn(pages.get(path)!).filter(
      (code) =>
        /^(?:src|test|tools|docs|migrations|examples|scripts)\/[\w./-]+$/.test(code) && !OF_OTHERS.test(code),
    );
    expect(named.filter((file) => !existsSync(file))).toEqual([]);
  });
});

describe('docs/jest.md', () => {
  it('names every setting of jest.config.mjs and of the script, and no other', async () => {
    const [[, table]] = all(await read('docs/jest.md'), /^(## What is configured)\n([\s\S]*?)^## /gm) as [
      string[],
    ];
    const named = all(table!, /^\| (.+?) +\|/gm).flatMap(([cell]) => codeIn(cell!));
    const code = (await read('jest.config.mjs')) + manifest.scripts.test;
    expect(
      named.filter((name) => !code.includes(name.replace(/^node /, '')) && name !== '@swc/jest'),
    ).toEqual([]);
    const keys = all(await read('jest.config.mjs'), /^ {2}(\w+):/gm).map(([key]) => key!);
    expect(keys.length).toBeGreaterThan(5);
    expect(keys.filter((key) => !named.some((name) => name.startsWith(key)))).toEqual([]);
  });
});

describe('the page of a mode', () => {
  const HEADINGS = [
    'How it works',
    'When to use it',
    'What it costs',
    'How it is attacked',
    'How it is revoked',
    'How to remove it',
  ];
  const modes = documents.filter((path) => /^docs\/modes\/(?!README)/.test(path));

  it.each(modes)('%s answers the same questions in the same order, and shows how it works', (path) => {
    const page = pages.get(path)!;
    const headings = all(page, /^## (.+)$/gm).map(([heading]) => heading!);
    expect(headings.filter((heading) => HEADINGS.includes(heading))).toEqual(HEADINGS);
    expect(page).toContain('```mermaid\nsequenceDiagram\n');
  });

  it.each(modes)('%s has the ratios of the last benchmark', async (path) => {
    if (!existsSync('docs/benchmarks.md')) return;
    const measured = new Map(
      all(await read('docs/benchmarks.md'), /^\| ([^|]+?) +\|(.*)\|$/gm).map(([name, row]) => [
        name!,
        Number(row!.split('|')[2]),
      ]),
    );
    for (const [name, ratio] of all(pages.get(path)!, /^\| ([^|]+, (?:warm|cold)) +\| ([\d.]+)/gm)) {
      const now = measured.get(name!) ?? NaN;
      // They differ between runs.
      expect([name, Math.abs(Number(ratio) - now) <= 0.2 * now]).toEqual([name, true]);
    }
  });
});
