import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { CONFIG, type Config } from '../config/config.js';
import { clientOf } from '../logging/client-of.js';
import { LOGGER } from '../logging/logger.js';
import { requestContext } from '../logging/request-context.js';
import { type Count, MemoryCounter } from './counters.js';
import { RateLimitedError } from './rate-limits.errors.js';
import { RedisCounter } from './redis-counter.js';
import { onOff, urlWith } from '../config/formats.js';
import { defineSettings, type SettingsOf } from '../config/settings.js';

const settings = defineSettings({
  REDIS_URL: urlWith('redis', 'rediss').optional(),
  RATE_LIMITS: (production) =>
    onOff.default(true).refine((on) => on || !production, 'off is refused in production'),
});

declare module '../config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

export interface RateLimit {
  readonly requests: number;
  readonly windowSeconds: number;
}

/** Limits how often something happens (ASVS 2.4.1): in Redis for all nodes together, where there is one. */
@Injectable()
export class RateLimiter implements OnApplicationShutdown {
  readonly #counter: MemoryCounter | RedisCounter;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
  ) {
    const own = new MemoryCounter();
    this.#counter =
      config.RATE_LIMITS && config.REDIS_URL ? new RedisCounter(config.REDIS_URL, own, logger) : own;
  }

  /**
   * Counts one request, and tells its answer what is left (draft-ietf-httpapi-ratelimit-headers).
   * @param policy what is limited, in lower case with hyphens
   * @param subject whom it is counted for
   * @throws RateLimitedError past the limit. What is refused is counted, and does not prolong the window
   */
  consume(policy: string, subject: string, limit: RateLimit): Promise<void> {
    if (!this.config.RATE_LIMITS) return Promise.resolve();
    return this.#counter
      .count(`${policy}:${subject}`, limit.windowSeconds)
      .then((count) => decide(policy, subject, limit, count));
  }

  /** For routes that anybody may call: by address. @throws RateLimitedError */
  consumeByAddress(policy: string, address: string, limit: RateLimit): Promise<void> {
    return this.consume(policy, clientOf(address), limit);
  }

  /** Counts one of what no answer tells of, such as a mail. Whether it is within the limit. */
  async allows(policy: string, subject: string, limit: RateLimit): Promise<boolean> {
    if (!this.config.RATE_LIMITS) return true;
    const count = await this.#counter.count(`${policy}:${subject}`, limit.windowSeconds);
    return count.consumedPoints <= limit.requests;
  }

  onApplicationShutdown(): void {
    if (this.#counter instanceof RedisCounter) this.#counter.close();
  }
}

function decide(policy: string, subject: string, limit: RateLimit, count: Count): void {
  const seconds = Math.max(1, Math.ceil(count.msBeforeNext / 1000));
  const headers = requestContext()?.answerHeaders;
  if (headers) {
    const left = Math.max(0, limit.requests - count.consumedPoints);
    // Lists: an exchange counts as a use of the key too.
    const list = (name: string, item: string) =>
      (headers[name] = headers[name] ? `${headers[name]}, ${item}` : item);
    list('RateLimit-Policy', `"${policy}";q=${limit.requests};w=${limit.windowSeconds}`);
    list('RateLimit', `"${policy}";r=${left};t=${seconds}`);
  }
  if (count.consumedPoints > limit.requests) throw new RateLimitedError(seconds, `${policy} ${subject}`);
}
