import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryCounter } from '../../../src/platform/rate-limits/counters.js';

describe('the counter in memory', () => {
  afterEach(() => void jest.restoreAllMocks());

  it('counts each subject in windows that start with its first request', () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
    const counter = new MemoryCounter();
    expect(counter.count('a', 60)).toEqual({ consumedPoints: 1, msBeforeNext: 60_000 });
    now.mockReturnValue(60_999);
    expect(counter.count('a', 60)).toEqual({ consumedPoints: 2, msBeforeNext: 1 });
    expect(counter.count('b', 60)).toEqual({ consumedPoints: 1, msBeforeNext: 60_000 });
    now.mockReturnValue(61_000);
    expect(counter.count('a', 60)).toEqual({ consumedPoints: 1, msBeforeNext: 60_000 });
  });
});
