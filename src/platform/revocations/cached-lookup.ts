import { performance } from 'node:perf_hooks';
import { MergedLookup } from '../lookup/merged-lookup.js';
import type { RevocationFeed } from './revocation-feed.js';
import { duration } from '../config/formats.js';
import { defineSettings, type SettingsOf } from '../config/settings.js';

const settings = defineSettings({ CREDENTIAL_CACHE_TTL: duration('5s') });

declare module '../config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

const MAX_ENTRIES = 10_000;

interface Entry<V> {
  readonly value: V;
  /** On the monotonic clock. */
  readonly at: number;
}

/**
 * A merged lookup that caches results for `ttlMs` milliseconds while the feed is current. A revocation of one of
 * `subjectsOf(value)` removes the value from the cache.
 */
export class CachedLookup<V extends object> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #keysOf = new Map<string, Set<string>>();
  readonly #lookup: MergedLookup<V>;

  constructor(
    private readonly feed: RevocationFeed,
    private readonly ttlMs: number,
    query: (keys: string[]) => Promise<Map<string, V>>,
    private readonly subjectsOf: (value: V) => readonly string[],
  ) {
    this.#lookup = new MergedLookup(query);
    feed.onRevocation((revocation) => {
      if (revocation === 'everything') this.#clear();
      else for (const key of this.#keysOf.get(revocation[1]) ?? []) this.#drop(key);
    });
  }

  async find(key: string): Promise<V | undefined> {
    const cached = this.#entries.get(key);
    if (cached && this.feed.isCurrent && performance.now() - cached.at < this.ttlMs) return cached.value;
    const { position } = this.feed;
    const at = performance.now();
    const value = await this.#lookup.find(key);
    // A revocation during the query can be missing in the result: valid for this request, but not for the cache.
    if (value && this.ttlMs > 0 && this.feed.isCurrent && this.feed.position === position)
      this.#keep(key, { value, at });
    return value;
  }

  #keep(key: string, entry: Entry<V>): void {
    this.#drop(key);
    if (this.#entries.size >= MAX_ENTRIES) this.#drop(this.#entries.keys().next().value!);
    this.#entries.set(key, entry);
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

  #clear(): void {
    this.#entries.clear();
    this.#keysOf.clear();
  }
}
