import { performance } from 'node:perf_hooks';
import type { RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';

/** The number of requests in the window, including this one, and the milliseconds until it ends. */
export type Count = Pick<RateLimiterRes, 'consumedPoints' | 'msBeforeNext'>;

/** Counts requests in windows. A window starts with its first request. */
export interface Counter {
  /** Counts a request atomically. @param windowSeconds the length of the window if this request starts one */
  count(subject: string, windowSeconds: number): Count | Promise<Count>;
}

/** Callers compare the count with their own limit, so the counter has none. */
export const UNLIMITED = { points: Number.MAX_SAFE_INTEGER, duration: 60, keyPrefix: 'rate-limit' };

export const countBy = (
  limiter: RateLimiterAbstract,
  subject: string,
  windowSeconds: number,
): Promise<Count> => limiter.consume(subject, 1, { customDuration: windowSeconds });

interface Window {
  count: number;
  /** On the monotonic clock. */
  readonly endsAt: number;
}

const PURGE_INTERVAL_MS = 60_000;

/**
 * Counts the requests of this node only. Own code, because it runs in each request of a key: RateLimiterMemory makes a
 * promise for each and a timer for each key.
 */
export class MemoryCounter implements Counter {
  readonly #windows = new Map<string, Window>();
  #isPurging = false;

  count(subject: string, windowSeconds: number): Count {
    const now = performance.now();
    let window = this.#windows.get(subject);
    if (!window || window.endsAt <= now) {
      window = { count: 0, endsAt: now + windowSeconds * 1000 };
      this.#windows.set(subject, window);
      if (!this.#isPurging) this.#purgeLater();
    }
    window.count += 1;
    return { consumedPoints: window.count, msBeforeNext: window.endsAt - now };
  }

  #purgeLater(): void {
    this.#isPurging = true;
    setTimeout(() => {
      const now = performance.now();
      for (const [subject, { endsAt }] of this.#windows) if (endsAt <= now) this.#windows.delete(subject);
      this.#isPurging = false;
      if (this.#windows.size > 0) this.#purgeLater();
    }, PURGE_INTERVAL_MS).unref();
  }
}
