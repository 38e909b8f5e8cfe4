import { describe, expect, it } from '@jest/globals';
import '../../../src/app.module.js';
import { allProblems, defineProblem, findProblem } from '../../../src/platform/problems/problem.js';

describe('the catalogue of problems', () => {
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
