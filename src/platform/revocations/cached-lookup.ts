import { performance } from 'node:perf_hooks';
import { MergedLookup } from '../lookup/merged-lookup.js';
import type { RevocationFeed } from './revocation-feed.js';
import type { Config } from '../config/config.js';
import { duration, integer } from '../config/formats.js';
import { defineSettings, type SettingsOf } from '../config/settings.js';

const settings = defineSettings({
  CREDENTIAL_CACHE_TTL: duration('5s'),
  CREDENTIAL_CACHE_SIZE: integer(0, 10_000_000).default(10_000),
});

declare module '../config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

/** The settings of a cache. */
export type CacheLimits = Pick<Config, keyof SettingsOf<typeof settings>>;

interface Entry<V> {
  readonly value: V;
  /** On the monotonic clock. */
  readonly at: number;
}

/**
 * A merged lookup that caches at most CREDENTIAL_CACHE_SIZE results for CREDENTIAL_CACHE_TTL while the feed is current. A
 * revocation of one of `subjectsOf(value)` removes the value from the cache.
 */
export class CachedLookup<V extends object> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #keysOf = new Map<string, Set<string>>();
  readonly #lookup: MergedLookup<V>;
  readonly #ttlMs: number;
  /** The most results. */
  readonly limit: number;
  #isExpiring = false;
  #hits = 0;
  #misses = 0;

  constructor(
    private readonly feed: RevocationFeed,
    { CREDENTIAL_CACHE_TTL, CREDENTIAL_CACHE_SIZE }: CacheLimits,
    query: (keys: string[]) => Promise<Map<string, V>>,
    private readonly subjectsOf: (value: V) => readonly string[],
  ) {
    this.#ttlMs = CREDENTIAL_CACHE_TTL;
    this.limit = CREDENTIAL_CACHE_SIZE;
    this.#lookup = new MergedLookup(query);
    feed.onRevocation((revocation) => {
      if (revocation === 'everything') this.#clear();
      else for (const key of this.#keysOf.get(revocation[1]) ?? []) this.#drop(key);
    });
  }

  get size(): number {
    return this.#entries.size;
  }

  get hits(): number {
    return this.#hits;
  }

  get misses(): number {
    return this.#misses;
  }

  /** Calls `take` with the value, or with undefined if there is none. A value that is cached needs no promise. */
  use<T>(key: string, take: (value: V | undefined) => T | Promise<T>): T | Promise<T> {
    const cached = this.#cached(key);
    return cached ? take(cached) : this.#look(key, take);
  }

  async find(key: string): Promise<V | undefined> {
    return this.#cached(key) ?? this.#look(key, (value) => value);
  }

  #look<T>(key: string, take: (value: V | undefined) => T | Promise<T>): Promise<T> {
    this.#misses += 1;
    const { position } = this.feed;
    const at = performance.now();
    return this.#lookup.find(key).then((value) => {
      // A revocation during the query can be missing in the result: valid for this request, but not for the cache.
      if (
        value &&
        this.#ttlMs > 0 &&
        this.limit > 0 &&
        this.feed.isCurrent &&
        this.feed.position === position
      )
        this.#keep(key, { value, at });
      return take(value);
    });
  }

  #cached(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry || !this.feed.isCurrent || performance.now() - entry.at >= this.#ttlMs) return undefined;
    this.#hits += 1;
    return entry.value;
  }

  #keep(key: string, entry: Entry<V>): void {
    this.#drop(key);
    if (this.#entries.size >= this.limit) this.#drop(this.#entries.keys().next().value!);
    this.#entries.set(key, entry);
    if (!this.#isExpiring) this.#expireLater();
    for (const subject of this.subjectsOf(entry.value)) {
      const keys = this.#keysOf.get(subject) ?? new Set();
      this.#keysOf.set(subject, keys.add(key));
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    for (const subject of this.subjectsOf(entry.value)) {
      const keys = this.#keysOf.get(subject);
      keys?.delete(key);
      if (keys?.size === 0) this.#keysOf.delete(subject);
    }
  }

  /** So that the memory of a load does not stay. */
  #expireLater(): void {
    this.#isExpiring = true;
    setTimeout(() => {
      this.#isExpiring = false;
      const now = performance.now();
      // Entries are in the order of their age.
      for (const [key, { at }] of this.#entries) {
        if (now - at < this.#ttlMs) return this.#expireLater();
        this.#drop(key);
      }
    }, this.#ttlMs).unref();
  }

  #clear(): void {
    this.#entries.clear();
    this.#keysOf.clear();
  }
}
