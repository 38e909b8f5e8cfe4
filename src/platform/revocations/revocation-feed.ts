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
 * What was revoked on any node, in the memory of this one. A revocation that was answered is known here within
 * FEED_MAX_LAG, normally within milliseconds; when that cannot be promised, `isCurrent` is false, and whoever asks has
 * to ask the database. FeedKeeper keeps it so.
 */
@Injectable()
export class RevocationFeed {
  readonly #listeners: RevocationListener[] = [];
  /** On the monotonic clock; all that was committed then is known. */
  #confirmedAt = -Infinity;
  #position = 0;

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    private readonly memory: RevokedMemory,
  ) {}

  /** Whether memory may be believed at this moment. */
  get isCurrent(): boolean {
    return performance.now() - this.#confirmedAt <= this.config.FEED_MAX_LAG && this.isComplete;
  }

  /** Whether memory may be believed about this account: of one with too many revocations it holds no single ones. */
  isCurrentFor(account: string): boolean {
    return this.isCurrent && this.memory.revokedUntil('user', account) === -Infinity;
  }

  /** Whether all that matters fits into memory. */
  get isComplete(): boolean {
    return this.memory.isComplete(this.clock.monotonic());
  }

  /** Changes with everything that arrives: what was read while it changed may be old, and must not be remembered. */
  get position(): number {
    return this.#position;
  }

  /** How many revocations are in memory. */
  get size(): number {
    return this.memory.size;
  }

  /** Up to when (milliseconds) what names this subject is over: Infinity for all of it, -Infinity for none. */
  revokedUntil(kind: RevocationKind, subject: string): number {
    return this.memory.revokedUntil(kind, subject);
  }

  /** Calls `listener` with each revocation as it arrives, and with 'everything' when some may have been missed. */
  onRevocation(listener: RevocationListener): void {
    this.#listeners.push(listener);
  }

  /** Takes in what arrived, or what this node has just committed itself. */
  receive(revocations: readonly WireRevocation[]): void {
    for (const revocation of revocations) {
      this.memory.add(revocation, this.clock.monotonic() + KEPT_MS);
      this.#tell(revocation);
    }
  }

  /**
   * Takes in all that matters, the last to expire first, as it was at `at` (on the monotonic clock) or later. Each is kept
   * for as long as it says, in milliseconds. More than memory may hold: there may be others.
   */
  load(revocations: readonly (readonly [WireRevocation, keptMs: number])[], at: number): void {
    const now = this.clock.monotonic();
    for (const [revocation, keptMs] of revocations) this.memory.add(revocation, now + keptMs);
    // A full page: those that are not on it expire no later than the last one that is.
    if (revocations.length > this.memory.limit) this.memory.miss(now + revocations.at(-1)![1]);
    this.#tell('everything');
    this.confirm(at);
  }

  /** All that was committed at `at` (on the monotonic clock) has been received. */
  confirm(at: number): void {
    this.#confirmedAt = Math.max(this.#confirmedAt, at);
  }

  /** From now on something may be missed. */
  lose(): void {
    this.#confirmedAt = -Infinity;
  }

  #tell(revocation: WireRevocation | 'everything'): void {
    this.#position += 1;
    for (const listener of this.#listeners) listener(revocation);
  }
}
