import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Clone } from './clone.js';

const PASSED = expect.objectContaining({ status: 0 });

// Each test runs other runs of tests.
jest.setTimeout(3_600_000);

describe('a fork', () => {
  let clone: Clone;
  beforeEach(async () => {
    clone = await Clone.make();
  });
  afterEach(() => clone.delete());

  it('passes its tests without the examples', async () => {
    expect(await clone.npm('run', 'keep', '--', '--without', 'examples')).toEqual(PASSED);
    expect(await clone.npm('run', 'types')).toEqual(PASSED);
    const tests = [
      'test/auth',
      'test/web',
      'test/modes/sessions',
      'test/template/clients',
      'test/template/docs',
    ];
    expect(await clone.npm('test', '--', ...tests)).toEqual(PASSED);
  });

  it('has no broken and no unused code without the tests of the template', async () => {
    await clone.delete('test/template');
    expect(await clone.npm('run', 'types')).toEqual(PASSED);
    expect(await clone.npm('run', 'lint')).toEqual(PASSED);
    expect(await clone.npm('run', 'unused')).toEqual(PASSED);
  });
});
