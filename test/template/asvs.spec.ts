import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { faultsOf, namedTests } from '../../tools/asvs/evidence.js';
import { type Requirement, requirementsOf } from '../../tools/asvs/requirements.js';

const root = process.cwd();
const tests = namedTests(root);
const all = [...requirementsOf('asvs.tsv'), ...requirementsOf('rfc9700.tsv')];

describe('docs/asvs.md', () => {
  it('has every requirement, with every test that names it', () => {
    const page = readFileSync('docs/asvs.md', 'utf8');
    const missing = all.flatMap(({ id }) => {
      const row = page.split('\n').find((line) => line.startsWith(`| ${id} `));
      const files = (tests.get(id) ?? []).map(({ file }) => `../${file}`);
      return row && files.every((file) => row.includes(file)) ? [] : [id];
    });
    expect(missing).toEqual([]);
  });
});

describe('a security requirement', () => {
  it('has a test or a place, if it applies', () => {
    expect(all.flatMap((one) => faultsOf(root, one, tests.get(one.id) ?? []))).toEqual([]);
  });

  it('has a reason, if it does not apply', () => {
    expect(all.filter(({ applies, note }) => !applies && !note)).toEqual([]);
  });

  it.each<[string, Partial<Requirement>, Map<string, boolean> | undefined]>([
    ['has neither a test nor a place', { places: [] }, undefined],
    ['names a page that does not exist', { places: ['docs/none.md'] }, undefined],
    ['names a heading that does not exist', { places: ['docs/asvs.md#none'] }, undefined],
  ])('is not shown if it %s', (_what, change, results) => {
    const one = { ...all[0]!, places: ['docs/asvs.md'], ...change };
    expect(faultsOf(root, one, [], results)).toHaveLength(1);
  });

  it('is not shown if a test failed or did not run', () => {
    const [id, named] = [...tests][0]!;
    const one = { ...all.find((requirement) => requirement.id === id)!, places: [] };
    expect(faultsOf(root, one, named, new Map([[id, true]]))).toEqual([]);
    expect(faultsOf(root, one, named, new Map([[id, false]]))).toEqual(['a test failed']);
    expect(faultsOf(root, one, named, new Map())).toEqual(['its tests did not run']);
  });

  it('has the number of a table in every test that names one', () => {
    const known = new Set(all.map(({ id }) => id));
    expect([...tests.keys()].filter((id) => !known.has(id))).toEqual([]);
  });
});
