import { describe, expect, it } from '@jest/globals';
import { Clock } from '../../../src/platform/clock/clock.js';
import { readConfig } from '../../../src/platform/config/config.js';
import { RevocationFeed } from '../../../src/platform/revocations/revocation-feed.js';
import { RevokedMemory } from '../../../src/platform/revocations/revoked-memory.js';

describe('what the feed loads', () => {
  const feedOf = (limit: number) => new RevocationFeed(new Clock(), readConfig({}), new RevokedMemory(limit));

  it('is complete if it fits into memory', () => {
    const feed = feedOf(2);
    feed.load(
      [
        [['user', 'a', null], 1_000],
        [['user', 'b', null], 1_000],
      ],
      performance.now(),
    );
    expect(feed.isCurrent).toBe(true);
  });

  it('tells how late it is, and whether it is connected', () => {
    const feed = feedOf(2);
    expect([feed.lag, feed.isConnected]).toEqual([Infinity, false]);
    feed.load([], performance.now() - 5_000);
    expect([feed.lag >= 5_000, feed.isConnected, feed.isCurrent]).toEqual([true, true, false]);
    feed.lose();
    expect([feed.lag, feed.isConnected]).toEqual([Infinity, false]);
  });

  it('is incomplete if the page is full, even if everything on it fits into memory', () => {
    const feed = feedOf(2);
    const twice = [['user', 'a', null], 2_000] as const;
    feed.load([twice, twice, [['user', 'b', null], 1_000]], performance.now());
    expect([feed.size, feed.isComplete, feed.isCurrent]).toEqual([2, false, false]);
  });
});
