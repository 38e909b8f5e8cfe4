import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { cutMarks } from '../../tools/keep/marks.js';
import { FOLLOWING, MODES, nameOf, NEEDED, PROGRAMS } from '../../tools/keep/template.js';
import { all, codeIn, documents, manifest, pages, read } from './pages.js';

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
