import { performance } from 'node:perf_hooks';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import type { RevocationKind } from './revocation.entity.js';
import { KEPT_MS, RevokedMemory, type WireRevocation } from './revoked-memory.js';
import { lifetime } from '../config/formats.js';
import { defineSettings, type SettingsOf } from '../config/settings.js';

const settings = defineSettings({ FEED_MAX_LAG: lifetime('1s') });

declare module '../config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

export type RevocationListener = (revocation: WireRevocation | 'everything') => void;

/**
 * Revocations of all nodes, in the memory of this node. A revocation arrives within FEED_MAX_LAG after the answer to its
 * request, normally within milliseconds. If the node cannot guarantee this, `isCurrent` is false, and callers must query
 * the database. FeedKeeper updates the feed.
 */
@Injectable()
export class RevocationFeed {
  readonly #listeners: RevocationListener[] = [];
  /** Everything committed until this time has arrived. On the monotonic clock. */
  #confirmedAt = -Infinity;
  #position = 0;

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    private readonly memory: RevokedMemory,
  ) {}

  /** Whether the memory can be trusted now. */
  get isCurrent(): boolean {
    return this.lag <= this.config.FEED_MAX_LAG && this.isComplete;
  }

  /** The milliseconds since the last moment whose revocations have all arrived. Infinity without a connection. */
  get lag(): number {
    return performance.now() - this.#confirmedAt;
  }

  /** Whether the node receives revocations. They can be late. */
  get isConnected(): boolean {
    return this.#confirmedAt !== -Infinity;
  }

  /** Whether it can be trusted for this account. An account with too many revocations has only one entry for all. */
  isCurrentFor(account: string): boolean {
    return this.isCurrent && this.memory.revokedUntil('user', account) === -Infinity;
  }

  /** Whether all living revocations fit in memory. */
  get isComplete(): boolean {
    return this.memory.isComplete(this.clock.monotonic());
  }

  /** Changes with every revocation. A query result is stale if this changed while the query ran. */
  get position(): number {
    return this.#position;
  }

  /** The most revocations in memory. */
  get limit(): number {
    return this.memory.limit;
  }

  /** The number of revocations in memory. */
  get size(): number {
    return this.memory.size;
  }

  /** Credentials of this subject from before this time (in milliseconds) are revoked: Infinity for all, -Infinity for none. */
  revokedUntil(kind: RevocationKind, subject: string): number {
    return this.memory.revokedUntil(kind, subject);
  }

  /** Calls `listener` with each revocation, and with 'everything' if some can have been missed. */
  onRevocation(listener: RevocationListener): void {
    this.#listeners.push(listener);
  }

  /** Adds revocations that arrived, or that this node has committed. */
  receive(revocations: readonly WireRevocation[]): void {
    for (const revocation of revocations) {
      this.memory.add(revocation, this.clock.monotonic() + KEPT_MS);
      this.#tell(revocation[0] === 'everything' ? 'everything' : revocation);
    }
  }

  /**
   * Adds the result of `loadRevocations`.
   * @param at the result has everything committed until this time (on the monotonic clock)
   */
  load(revocations: readonly (readonly [WireRevocation, keptMs: number])[], at: number): void {
    const now = this.clock.monotonic();
    for (const [revocation, keptMs] of revocations) this.memory.add(revocation, now + keptMs);
    // Some are missing. They expire no later than the last one of the list.
    if (revocations.length > this.memory.limit) this.memory.miss(now + revocations.at(-1)![1]);
    this.#tell('everything');
    this.confirm(at);
  }

  /** Everything committed until `at` (on the monotonic clock) has arrived. */
  confirm(at: number): void {
    this.#confirmedAt = Math.max(this.#confirmedAt, at);
  }

  /** Notes that revocations can be missed from now on. */
  lose(): void {
    this.#confirmedAt = -Infinity;
  }

  #tell(revocation: WireRevocation | 'everything'): void {
    this.#position += 1;
    for (const listener of this.#listeners) listener(revocation);
  }
}
