import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { CachedLookup } from '../../../src/platform/revocations/cached-lookup.js';
import type { RevocationKind } from '../../../src/platform/revocations/revocation.entity.js';
import type {
  RevocationFeed,
  RevocationListener,
} from '../../../src/platform/revocations/revocation-feed.js';

const ANY_KIND = 'of any room' as RevocationKind;

/** A lookup that finds every key but the empty one, with the keys that it was asked for and a way to revoke one. */
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
      return new Map(keys.filter((key) => key !== '').map((key) => [key, { key }]));
    },
    ({ key }) => [`subject of ${key}`],
  );
  return { cache, asked, feed };
}

type Cache = ReturnType<typeof lookup>['cache'];
/** The key of a cached value, without waiting. */
function cached(cache: Cache, key: string): string | undefined {
  const value = cache.use(key, (found) => found?.key);
  return value instanceof Promise ? undefined : value;
}

describe('a cached lookup', () => {
  it('asks once, until the result is revoked', async () => {
    const { cache, asked, feed } = lookup(60_000, 10);
    expect(await cache.use('a', (found) => found)).toEqual({ key: 'a' });
    expect([cached(cache, 'a'), await cache.find('a')]).toEqual(['a', { key: 'a' }]);
    expect(asked).toEqual(['a']);
    feed.listener!([ANY_KIND, 'subject of a', null]);
    expect([cache.size, cached(cache, 'a')]).toEqual([0, undefined]);
  });

  it('counts hits, and lookups that needed a query', async () => {
    const { cache, feed } = lookup(60_000, 10);
    await cache.use('a', () => undefined);
    expect([cache.hits, cache.misses]).toEqual([0, 1]);
    await cache.use('a', () => undefined);
    await cache.find('a');
    expect([cache.hits, cache.misses]).toEqual([2, 1]);
    feed.isCurrent = false;
    await cache.find('a');
    expect([cache.hits, cache.misses, cache.limit]).toEqual([2, 2, 10]);
  });

  it('trusts nothing while the feed is late', async () => {
    const { cache, asked, feed } = lookup(60_000, 10);
    await cache.find('a');
    feed.isCurrent = false;
    expect(cached(cache, 'a')).toBeUndefined();
    await cache.find('a');
    expect(new Set(asked)).toEqual(new Set(['a']));
    expect(asked.length).toBeGreaterThan(1);
  });

  it('passes undefined for a key that is not found', async () => {
    const { cache } = lookup(60_000, 10);
    expect(await cache.use('', (found) => [found])).toEqual([undefined]);
  });

  it('keeps at most as many results as its size, and none if its size is 0', async () => {
    const { cache } = lookup(60_000, 2);
    for (const key of ['a', 'b', 'c']) await cache.find(key);
    expect(['b', 'c', 'a'].map((key) => cached(cache, key))).toEqual(['b', 'c', undefined]);
    const off = lookup(60_000, 0);
    await off.cache.find('a');
    expect([off.cache.size, cached(off.cache, 'a')]).toEqual([0, undefined]);
  });

  it('gives back the memory of results that have expired', async () => {
    const { cache } = lookup(20, 10);
    await cache.find('a');
    expect(cache.size).toBe(1);
    while (cache.size > 0) await sleep(5);
    expect(cached(cache, 'a')).toBeUndefined();
  });
});
