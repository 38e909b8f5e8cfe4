import { RateLimiterMemory, type RateLimiterAbstract, type RateLimiterRes } from 'rate-limiter-flexible';

/** The number of requests in the window, including this one, and the milliseconds until it ends. */
export type Count = Pick<RateLimiterRes, 'consumedPoints' | 'msBeforeNext'>;

/** Counts requests in windows. A window starts with its first request. */
export interface Counter {
  /** Counts a request atomically. @param windowSeconds the length of the window if this request starts one */
  count(subject: string, windowSeconds: number): Promise<Count>;
}

/** Callers compare the count with their own limit, so the counter has none. */
export const UNLIMITED = { points: Number.MAX_SAFE_INTEGER, duration: 60, keyPrefix: 'rate-limit' };

export const countBy = (
  limiter: RateLimiterAbstract,
  subject: string,
  windowSeconds: number,
): Promise<Count> => limiter.consume(subject, 1, { customDuration: windowSeconds });

/** Counts the requests of this node only. */
export class MemoryCounter implements Counter {
  readonly #limiter = new RateLimiterMemory(UNLIMITED);

  count(subject: string, windowSeconds: number): Promise<Count> {
    return countBy(this.#limiter, subject, windowSeconds);
  }
}
