import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { EntityManager } from 'typeorm';
import { CONFIG, type Config } from '../config/config.js';
import { clientOf } from '../logging/client-of.js';
import { LOGGER } from '../logging/logger.js';
import { AttemptCounter, type Budget } from './attempt-counter.js';
import { type Count, MemoryCounter } from './counters.js';
import { sendRateLimitHeaders, tellRateLimit } from './rate-limit-headers.js';
import { RateLimitedError } from './rate-limits.errors.js';
import { RedisCounter } from './redis-counter.js';
import { onOff, urlWith } from '../config/formats.js';
import { defineSettings, type SettingsOf } from '../config/settings.js';

const settings = defineSettings({
  REDIS_URL: urlWith('redis', 'rediss').optional(),
  RATE_LIMITS: (production) =>
    onOff.default(true).refine((on) => on || !production, 'must not be off in production'),
});

declare module '../config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

export interface RateLimit {
  readonly requests: number;
  readonly windowSeconds: number;
}

/**
 * Limits requests (ASVS 2.4.1). Those of keys count in memory, or in Redis for all nodes. What concerns authentication counts in
 * PostgreSQL.
 */
@Injectable()
export class RateLimiter implements OnModuleInit, OnApplicationShutdown {
  readonly #counter: MemoryCounter | RedisCounter;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly http: HttpAdapterHost,
    private readonly attempts: AttemptCounter,
    @Inject(LOGGER) logger: Logger,
  ) {
    const own = new MemoryCounter();
    this.#counter =
      config.RATE_LIMITS && config.REDIS_URL ? new RedisCounter(config.REDIS_URL, own, logger) : own;
  }

  onModuleInit(): void {
    // A command has no HTTP server.
    if (!this.http.httpAdapter) return;
    const fastify: FastifyInstance = this.http.httpAdapter.getInstance();
    sendRateLimitHeaders(fastify);
  }

  /**
   * Counts a request, and adds RateLimit headers to its answer (draft-ietf-httpapi-ratelimit-headers). To count in memory
   * needs no promise.
   * @param policy the name of the limit, in lower case with hyphens
   * @param subject the account, key or address to count for
   * @throws RateLimitedError over the limit. Refused requests count, but do not extend the window
   */
  consume(policy: string, subject: string, limit: RateLimit): void | Promise<void> {
    if (!this.config.RATE_LIMITS) return undefined;
    const count = this.#counter.count(`${policy}:${subject}`, limit.windowSeconds);
    if (count instanceof Promise) return count.then((counted) => this.#decide(policy, limit, counted));
    return this.#decide(policy, limit, count);
  }

  /** Counts by client address in PostgreSQL, for public routes. @throws RateLimitedError */
  consumeByAddress(policy: string, address: string, limit: RateLimit): Promise<void> {
    return this.attempts.count(budgetOf(policy, clientOf(address), limit));
  }

  /**
   * Counts something else than a request in PostgreSQL, such as a mail. Returns whether it is within the limit.
   * @param manager if the caller has a transaction: another connection could wait for this one
   */
  allows(policy: string, subject: string, limit: RateLimit, manager?: EntityManager): Promise<boolean> {
    return this.attempts.allows(budgetOf(policy, subject, limit), manager);
  }

  #decide(policy: string, limit: RateLimit, count: Count): void {
    const seconds = Math.max(1, Math.ceil(count.msBeforeNext / 1000));
    const remaining = limit.requests - count.consumedPoints;
    tellRateLimit(policy, { quota: limit.requests, windowSeconds: limit.windowSeconds, remaining, seconds });
    if (remaining >= 0) return;
    this.attempts.limited.add(policy);
    throw new RateLimitedError(seconds, policy);
  }

  onApplicationShutdown(): void {
    if (this.#counter instanceof RedisCounter) this.#counter.close();
  }
}

const budgetOf = (name: string, subject: string, { requests, windowSeconds }: RateLimit): Budget => ({
  limit: { name, attempts: requests, windowSeconds },
  subject,
});
