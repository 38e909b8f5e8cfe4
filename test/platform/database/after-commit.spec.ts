import { describe, expect, it } from '@jest/globals';
import { useServer } from '../../support/server.js';
import type { Work } from './after-commit.fixture.js';

describe('work after a commit', () => {
  const context = useServer({ fixture: 'test/platform/database/after-commit.fixture.ts#work' });
  const work = () => context.server.provider<Work>('Work');

  it('is done once, when the outermost transaction has committed', async () => {
    expect(await work().during('commit')).toEqual({ inside: 0 });
    expect(await work().afterOthers(1)).toBe(1);
  });

  it('is never done after a rollback, nor with the next transaction of the connection', async () => {
    await work().during('rollback');
    expect(await work().afterOthers(20)).toBe(0);
  });

  it('is done at once outside of a transaction', async () => {
    expect(await work().outside()).toBe(1);
  });
});
