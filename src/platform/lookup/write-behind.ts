import { PeriodicWrite } from './periodic-write.js';

/**
 * Gathers values in memory, the last of each key, and writes them together every `intervalMs`: for what every request
 * changes and nobody waits for. What a crash loses is one interval.
 */
export class WriteBehind<V> {
  #pending = new Map<string, V>();
  readonly #periodic: PeriodicWrite;

  constructor(
    intervalMs: number,
    private readonly write: (entries: Map<string, V>) => Promise<void>,
    /** Called once for a row of failures, not at each. */
    onError: (error: unknown) => void,
  ) {
    this.#periodic = new PeriodicWrite(intervalMs, () => this.#writePending(), onError);
  }

  set(key: string, value: V): void {
    this.#pending.set(key, value);
  }

  /** Writes what is pending. Never rejects. */
  flush(): Promise<void> {
    return this.#periodic.flush();
  }

  /** Writes the last time. To be called while the database is still open. */
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
      // Kept for the next round; what came in meanwhile is newer.
      this.#pending = new Map([...batch, ...this.#pending]);
      throw error;
    }
  }
}
