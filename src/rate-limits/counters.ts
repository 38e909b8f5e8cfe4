import { RateLimiterMemory, type RateLimiterAbstract, type RateLimiterRes } from 'rate-limiter-flexible';

export interface Count {
  /** Requests of the window, this one included. */
  readonly requests: number;
  /** Milliseconds until the window ends. */
  readonly endsInMs: number;
}

/** Counts requests in windows, each of which begins with its first request. */
export interface Counter {
  /** Counts one, atomically. @param windowSeconds of the window that this one begins, if it does */
  count(subject: string, windowSeconds: number): Promise<Count>;
}

/** The limit is compared by who asks, since it differs: here nothing is ever too much. */
export const UNLIMITED = { points: Number.MAX_SAFE_INTEGER, duration: 60, keyPrefix: 'rate-limit' };

export async function countBy(
  limiter: RateLimiterAbstract,
  subject: string,
  windowSeconds: number,
): Promise<Count> {
  const { consumedPoints, msBeforeNext }: RateLimiterRes = await limiter.consume(subject, 1, {
    customDuration: windowSeconds,
  });
  return { requests: consumedPoints, endsInMs: msBeforeNext };
}

/** Of this node alone. */
export class MemoryCounter implements Counter {
  readonly #limiter = new RateLimiterMemory(UNLIMITED);

  count(subject: string, windowSeconds: number): Promise<Count> {
    return countBy(this.#limiter, subject, windowSeconds);
  }
}
