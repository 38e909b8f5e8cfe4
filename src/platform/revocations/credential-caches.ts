import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { defineCounter, defineGauge, Instruments } from '../instruments/instruments.js';
import { CachedLookup, type CacheLimits } from './cached-lookup.js';
import { RevocationFeed } from './revocation-feed.js';

const HITS = defineCounter('credential_cache_hits_total', 'Lookups that a cache answered', 'cache');
const MISSES = defineCounter(
  'credential_cache_misses_total',
  'Lookups that needed a query, or a check of a signature',
  'cache',
);
const ENTRIES = defineGauge('credential_cache_entries', 'Entries of a cache', 'cache');
const LIMIT = defineGauge(
  'credential_cache_entries_limit',
  'The most entries that a cache can have: CREDENTIAL_CACHE_SIZE',
  'cache',
);

interface CacheState {
  readonly hits: number;
  readonly misses: number;
  readonly size: number;
  readonly limit: number;
}

/** Adds the numbers of a cache to the instruments. */
export function reportCache(instruments: Instruments, name: string, cache: CacheState): void {
  instruments.add(HITS, () => cache.hits, { cache: name });
  instruments.add(MISSES, () => cache.misses, { cache: name });
  instruments.add(ENTRIES, () => cache.size, { cache: name });
  instruments.add(LIMIT, () => cache.limit, { cache: name });
}

/** Creates the caches of rooms. */
@Injectable()
export class CredentialCaches {
  constructor(
    private readonly feed: RevocationFeed,
    private readonly instruments: Instruments,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * @param name a plural with hyphens, for the instruments
   * @param query gets distinct keys, and returns the values that it found by key
   * @param subjectsOf a revocation of one of these removes the value
   */
  create<V extends object>(
    name: string,
    query: (keys: string[]) => Promise<Map<string, V>>,
    subjectsOf: (value: V) => readonly string[],
    limits: CacheLimits = this.config,
  ): CachedLookup<V> {
    const cache = new CachedLookup(this.feed, limits, query, subjectsOf);
    reportCache(this.instruments, name, cache);
    return cache;
  }
}
