import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Requirement } from './requirements.js';

/** A test whose name has the id of a requirement. */
export interface NamedTest {
  /** Such as `test/modes/sessions/sessions.spec.ts`. */
  readonly file: string;
  /** Without the ids. */
  readonly title: string;
}

const ID = /\[((?:V\d+|RFC 9700 \d+)(?:\.\d+)*)\] /g;
const TITLE = /(['"`])((?:\[(?:V|RFC 9700 )[\d.]+\] )+)(.*?)(?<!\\)\1/g;

export const idsIn = (name: string): string[] => [...name.matchAll(ID)].map(([, id]) => id!);

/** The tests of the project by the ids in their names. */
export function namedTests(root: string): Map<string, NamedTest[]> {
  const tests = new Map<string, NamedTest[]>();
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.spec.ts'))
    .map((file) => `test/${file.replaceAll('\\', '/')}`);
  for (const file of files.toSorted())
    for (const [, , ids, title] of readFileSync(join(root, file), 'utf8').matchAll(TITLE))
      for (const id of idsIn(ids!))
        tests.set(id, [...(tests.get(id) ?? []), { file, title: title!.replaceAll('\\', '') }]);
  return tests;
}

const slugOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\d _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

/** Whether a page and its heading exist. */
export function exists(root: string, place: string): boolean {
  const [page = '', slug = ''] = place.split('#');
  if (!existsSync(join(root, page))) return false;
  const headings = [...readFileSync(join(root, page), 'utf8').matchAll(/^#+ (.*)$/gm)];
  return slug === '' || headings.some(([, heading]) => slugOf(heading!) === slug);
}

/** Why a requirement is not shown. */
export function faultsOf(
  root: string,
  { id, applies, places }: Requirement,
  tests: readonly NamedTest[],
  results?: ReadonlyMap<string, boolean>,
): string[] {
  if (!applies) return tests.length > 0 ? ['has tests, although it does not apply'] : [];
  const missing = places.filter((place) => !exists(root, place)).map((place) => `${place} does not exist`);
  if (tests.length + places.length === 0) return ['has no test and no place in the documents'];
  if (!results || tests.length === 0) return missing;
  const result = results.get(id);
  // Some tests need programs that are not everywhere.
  if (result === undefined) return places.length > 0 ? missing : [...missing, 'its tests did not run'];
  return result ? missing : [...missing, 'a test failed'];
}
