import { defineGauge } from '../instruments/instruments.js';
import { outsideRequests } from '../logging/request-context.js';

/** The values in memory that a periodic write has not written. */
export const UNWRITTEN = defineGauge(
  'write_behind_entries',
  'Entries in memory that are not written to the database yet',
  'queue',
);

/**
 * Repeats a write every `intervalMs`, and on `flush`. Writes never overlap, so that older data cannot overwrite newer data.
 * A crash loses at most one interval.
 */
export class PeriodicWrite {
  #queue = Promise.resolve();
  #failing = false;
  readonly #timer: NodeJS.Timeout;

  constructor(
    intervalMs: number,
    /** Must keep the data of a failed write for the next call. */
    private readonly write: () => Promise<void>,
    /** Called only for the first of consecutive failures. */
    private readonly onError: (error: unknown) => void,
  ) {
    this.#timer = setInterval(() => void this.flush(), intervalMs).unref();
  }

  /** Never rejects. */
  flush(): Promise<void> {
    this.#queue = this.#queue.then(() => outsideRequests(() => this.#attempt()));
    return this.#queue;
  }

  /** Writes for the last time. Call it while the database is still open. */
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
