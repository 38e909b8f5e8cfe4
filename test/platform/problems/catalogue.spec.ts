import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import '../../../src/app.module.js';
import { allProblems, defineProblem, findProblem } from '../../../src/platform/problems/problem.js';

const SRC = join(import.meta.dirname, '../../../src');
const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(SRC, file), 'utf8') }));

/** Every `const NAME = defineProblem({ slug: '…'` of the sources. */
const definitions = sources.flatMap(({ file, text }) =>
  [...text.matchAll(/const (\w+) = defineProblem\(\{\s*slug: '([^']+)'/g)].map(([, constant, slug]) => ({
    file,
    text,
    constant: constant!,
    slug: slug!,
  })),
);

describe('the catalogue of problems', () => {
  it('holds what the sources define, and nothing else', () => {
    expect(allProblems().map(({ slug }) => slug)).toEqual(
      definitions.map(({ slug }) => slug).toSorted((a, b) => a.localeCompare(b)),
    );
  });

  it('holds no problem that nothing throws', () => {
    const unused = definitions.filter(({ text, constant }) => text.split(constant).length < 3);
    expect(unused.map(({ file, slug }) => `${file}: ${slug}`)).toEqual([]);
  });

  it('knows every slug that the API reference names', () => {
    const { text } = sources.find(({ file }) => file.endsWith('openapi.document.ts'))!;
    const named = [
      ...sources.flatMap(({ text: source }) =>
        [...source.matchAll(/@MayAnswer\(([^)]*)\)/g)].flatMap(([, slugs]) => slugs!.match(/[a-z-]+/g)!),
      ),
      ...[...text.matchAll(/slugs\.push\(([^)]*)\)|slugs = \[([^\]]*)\]/g)].flatMap(
        ([, pushed, listed]) => (pushed ?? listed)!.match(/(?<=')[a-z-]+(?=')/g) ?? [],
      ),
    ];
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((slug) => !findProblem(slug))).toEqual([]);
  });

  it.each([
    [400, 'credential-in-url'],
    [400, 'ambiguous-credentials'],
    [401, 'credential-required'],
    [401, 'mode-not-accepted'],
    [401, 'invalid-credential'],
    [401, 'invalid-refresh-token'],
    [401, 'insufficient-user-authentication'],
    [403, 'csrf'],
    [403, 'person-required'],
    [403, 'insufficient-scope'],
    [403, 'https-required'],
  ])('has the one that clients rely on: %i %s', (status, slug) => {
    expect(findProblem(slug)?.status).toBe(status);
  });

  it('holds a title and an explanation for people', () => {
    for (const { slug, status, title, about } of allProblems()) {
      expect(slug).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect([slug, status >= 400 && status < 600]).toEqual([slug, true]);
      expect([slug, title]).toEqual([slug, expect.stringMatching(/^[A-Z].*[^.]$/)]);
      expect([slug, about]).toEqual([slug, expect.stringMatching(/^(`|[A-Z]).*\.$/)]);
    }
  });

  it('refuses a slug that is taken', () => {
    const [kind] = allProblems();
    expect(() => defineProblem({ ...kind! })).toThrow(`the problem "${kind!.slug}" is declared twice`);
  });
});
