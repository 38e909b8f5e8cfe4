// The kinds of revocations that are remembered are declared by the rooms.
import '../../../src/rooms.js';
import { describe, expect, it } from '@jest/globals';
import { Clock } from '../../../src/platform/clock/clock.js';
import { readConfig } from '../../../src/platform/config/config.js';
import { RevocationFeed } from '../../../src/platform/revocations/revocation-feed.js';
import { RevokedMemory } from '../../../src/platform/revocations/revoked-memory.js';

describe('what the feed loads', () => {
  const feedOf = (limit: number) => new RevocationFeed(new Clock(), readConfig({}), new RevokedMemory(limit));

  it('is complete where it is no more than memory may hold', () => {
    const feed = feedOf(2);
    feed.load(
      [
        [['user', 'a', null], 1_000],
        [['token', 'b', null], 1_000],
      ],
      performance.now(),
    );
    expect(feed.isCurrent).toBe(true);
  });

  it('is incomplete where the page is full, also if all that is on it fits into memory', () => {
    const feed = feedOf(2);
    const twice = [['user', 'a', null], 2_000] as const;
    feed.load([twice, twice, [['token', 'b', null], 1_000]], performance.now());
    expect([feed.size, feed.isComplete, feed.isCurrent]).toEqual([2, false, false]);
  });
});
