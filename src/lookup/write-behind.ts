/**
 * Gathers values in memory, the last of each key, and writes them together every `intervalMs`: for what every request
 * changes and nobody waits for. What a crash loses is one interval.
 */
export class WriteBehind<V> {
  #pending = new Map<string, V>();
  #queue = Promise.resolve();
  #failing = false;
  readonly #timer: NodeJS.Timeout;

  constructor(
    intervalMs: number,
    private readonly write: (entries: Map<string, V>) => Promise<void>,
    /** Called once for a row of failures, not at each. */
    private readonly onError: (error: unknown) => void,
  ) {
    this.#timer = setInterval(() => void this.flush(), intervalMs).unref();
  }

  set(key: string, value: V): void {
    this.#pending.set(key, value);
  }

  /** Writes what is pending. One write at a time, so that an older value never lands after a newer one. Never rejects. */
  flush(): Promise<void> {
    this.#queue = this.#queue.then(() => this.#writePending());
    return this.#queue;
  }

  /** Writes the last time. To be called while the database is still open. */
  stop(): Promise<void> {
    clearInterval(this.#timer);
    return this.flush();
  }

  async #writePending(): Promise<void> {
    if (this.#pending.size === 0) return;
    const batch = this.#pending;
    this.#pending = new Map();
    try {
      await this.write(batch);
      this.#failing = false;
    } catch (error) {
      // Kept for the next round; what came in meanwhile is newer.
      this.#pending = new Map([...batch, ...this.#pending]);
      if (!this.#failing) this.onError(error);
      this.#failing = true;
    }
  }
}
