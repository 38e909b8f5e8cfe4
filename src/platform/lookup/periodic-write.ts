/**
 * Does the same write every `intervalMs`, and when it is asked to: one at a time, so that what is older never lands after
 * what is newer. What a crash loses is one interval.
 */
export class PeriodicWrite {
  #queue = Promise.resolve();
  #failing = false;
  readonly #timer: NodeJS.Timeout;

  constructor(
    intervalMs: number,
    /** Keeps what it could not write for the next time. */
    private readonly write: () => Promise<void>,
    /** Called once for a row of failures, not at each. */
    private readonly onError: (error: unknown) => void,
  ) {
    this.#timer = setInterval(() => void this.flush(), intervalMs).unref();
  }

  /** Never rejects. */
  flush(): Promise<void> {
    this.#queue = this.#queue.then(() => this.#attempt());
    return this.#queue;
  }

  /** Writes the last time. To be called while the database is still open. */
  stop(): Promise<void> {
    clearInterval(this.#timer);
    return this.flush();
  }

  async #attempt(): Promise<void> {
    try {
      await this.write();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.onError(error);
      this.#failing = true;
    }
  }
}
