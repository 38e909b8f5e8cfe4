import { describe, expect, it } from '@jest/globals';
import { defineProblem, type ProblemKind } from '../../../src/platform/problems/problem.js';
import { useServer } from '../../support/server.js';
import type { Problems } from '../../web/http/pages.fixture.js';

describe('the catalogue of problems', () => {
  const context = useServer({ fixture: 'test/web/http/pages.fixture.ts#problems' });
  const all = (): Promise<ProblemKind[]> => context.server.provider<Problems>('Problems').all();

  it.each([
    [400, 'credential-in-url'],
    [400, 'ambiguous-credentials'],
    [401, 'credential-required'],
    [401, 'mode-not-accepted'],
    [401, 'invalid-credential'],
    // room: tokens
    [401, 'invalid-refresh-token'],
    // /room
    [401, 'insufficient-user-authentication'],
    [403, 'csrf'],
    [403, 'person-required'],
    [403, 'insufficient-scope'],
    [403, 'https-required'],
  ])('has the documented problem %i %s', async (status, slug) => {
    expect((await all()).find((kind) => kind.slug === slug)?.status).toBe(status);
  });

  it('has a title and an explanation for each problem', async () => {
    for (const { slug, status, title, about } of await all()) {
      if (slug === 'test-markup') continue;
      expect(slug).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect([slug, status >= 400 && status < 600]).toEqual([slug, true]);
      expect([slug, title]).toEqual([slug, expect.stringMatching(/^[A-Z].*[^.]$/)]);
      expect([slug, about]).toEqual([slug, expect.stringMatching(/^(`|[A-Z]).*\.$/)]);
    }
  });

  it('refuses a slug that is already used', () => {
    const kind: ProblemKind = { slug: 'used', status: 400, title: 'Used', about: 'Of a test.' };
    defineProblem(kind);
    expect(() => defineProblem(kind)).toThrow('the problem "used" is declared twice');
  });
});
