import { PeriodicWrite } from './periodic-write.js';

/**
 * Keeps the last value of each key in memory and writes all of them every `intervalMs`. For values that every request
 * changes, such as "last seen". A crash loses at most one interval.
 */
export class WriteBehind<V> {
  #pending = new Map<string, V>();
  readonly #periodic: PeriodicWrite;

  constructor(
    intervalMs: number,
    private readonly write: (entries: Map<string, V>) => Promise<void>,
    onError: (error: unknown) => void,
  ) {
    this.#periodic = new PeriodicWrite(intervalMs, () => this.#writePending(), onError);
  }

  get size(): number {
    return this.#pending.size;
  }

  set(key: string, value: V): void {
    this.#pending.set(key, value);
  }

  /** Writes all pending values. Never rejects. */
  flush(): Promise<void> {
    return this.#periodic.flush();
  }

  /** Writes for the last time. Call it while the database is still open. */
  stop(): Promise<void> {
    return this.#periodic.stop();
  }

  async #writePending(): Promise<void> {
    if (this.#pending.size === 0) return;
    const batch = this.#pending;
    this.#pending = new Map();
    try {
      await this.write(batch);
    } catch (error) {
      // Kept for the next round. Values that were set meanwhile are newer.
      this.#pending = new Map([...batch, ...this.#pending]);
      throw error;
    }
  }
}
