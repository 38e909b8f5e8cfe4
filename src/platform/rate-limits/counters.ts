import { RateLimiterMemory, type RateLimiterAbstract, type RateLimiterRes } from 'rate-limiter-flexible';

/** How many requests of the window there were, this one included, and in how many milliseconds it ends. */
export type Count = Pick<RateLimiterRes, 'consumedPoints' | 'msBeforeNext'>;

/** Counts requests in windows, each of which begins with its first request. */
export interface Counter {
  /** Counts one, atomically. @param windowSeconds of the window that this one begins, if it does */
  count(subject: string, windowSeconds: number): Promise<Count>;
}

/** The limit is compared by who asks, since it differs: here nothing is ever too much. */
export const UNLIMITED = { points: Number.MAX_SAFE_INTEGER, duration: 60, keyPrefix: 'rate-limit' };

export const countBy = (
  limiter: RateLimiterAbstract,
  subject: string,
  windowSeconds: number,
): Promise<Count> => limiter.consume(subject, 1, { customDuration: windowSeconds });

/** Of this node alone. */
export class MemoryCounter implements Counter {
  readonly #limiter = new RateLimiterMemory(UNLIMITED);

  count(subject: string, windowSeconds: number): Promise<Count> {
    return countBy(this.#limiter, subject, windowSeconds);
  }
}
