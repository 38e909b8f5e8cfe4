import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { CachedLookup } from '../../../src/platform/revocations/cached-lookup.js';
import type { RevocationKind } from '../../../src/platform/revocations/revocation.entity.js';
import type {
  RevocationFeed,
  RevocationListener,
} from '../../../src/platform/revocations/revocation-feed.js';

const ANY_KIND = 'of any room' as RevocationKind;

/** A lookup that finds every key, with the keys that it was asked for and a way to revoke one. */
function lookup(ttl: number, size: number) {
  const asked: string[] = [];
  const feed = {
    isCurrent: true,
    position: 0,
    listener: undefined as RevocationListener | undefined,
    onRevocation(listener: RevocationListener) {
      this.listener = listener;
    },
  };
  const cache = new CachedLookup(
    feed as unknown as RevocationFeed,
    { CREDENTIAL_CACHE_TTL: ttl, CREDENTIAL_CACHE_SIZE: size },
    async (keys) => {
      asked.push(...keys);
      return new Map(keys.map((key) => [key, { key }]));
    },
    ({ key }) => [`subject of ${key}`],
  );
  return { cache, asked, feed };
}

describe('a cached lookup', () => {
  it('asks once, until the result is revoked', async () => {
    const { cache, asked, feed } = lookup(60_000, 10);
    expect(cache.cached('a')).toBeUndefined();
    await cache.find('a');
    expect([cache.cached('a'), await cache.find('a')]).toEqual([{ key: 'a' }, { key: 'a' }]);
    expect(asked).toEqual(['a']);
    feed.listener!([ANY_KIND, 'subject of a', null]);
    expect([cache.cached('a'), cache.size]).toEqual([undefined, 0]);
  });

  it('trusts nothing while the feed is late', async () => {
    const { cache, asked, feed } = lookup(60_000, 10);
    await cache.find('a');
    feed.isCurrent = false;
    expect(cache.cached('a')).toBeUndefined();
    await cache.find('a');
    expect(asked).toEqual(['a', 'a']);
  });

  it('keeps no more results than its size, and none with the size 0', async () => {
    const { cache } = lookup(60_000, 2);
    for (const key of ['a', 'b', 'c']) await cache.find(key);
    expect(['a', 'b', 'c'].map((key) => cache.cached(key)?.key)).toEqual([undefined, 'b', 'c']);
    const off = lookup(60_000, 0);
    await off.cache.find('a');
    expect([off.cache.size, off.cache.cached('a')]).toEqual([0, undefined]);
  });

  it('gives back the memory of results that have expired', async () => {
    const { cache } = lookup(20, 10);
    await cache.find('a');
    expect(cache.size).toBe(1);
    while (cache.size > 0) await sleep(5);
    expect(cache.cached('a')).toBeUndefined();
  });
});
