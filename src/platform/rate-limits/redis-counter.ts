import { performance } from 'node:perf_hooks';
import { createClient } from '@redis/client';
import type { Logger } from 'pino';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { type Count, countBy, type Counter, UNLIMITED } from './counters.js';
import { within } from './within.js';

/** A request waits at most this long for Redis. */
const PATIENCE_MS = 250;
/** After a failure, one request per pause tries Redis again. */
const PAUSE_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
const PING_INTERVAL_MS = 1_000;
/** After this time without data, the client reconnects. Longer than PING_INTERVAL_MS. */
const SILENCE_LIMIT_MS = 5_000;

/**
 * Counts the requests of all nodes in Redis. If Redis fails, nodes fall back to local counting and log a warning.
 */
export class RedisCounter implements Counter {
  readonly #client;
  readonly #limiter: RateLimiterRedis;
  #lost = false;
  #tryAgainAt = -Infinity;

  constructor(
    url: string,
    private readonly own: Counter,
    private readonly logger: Logger,
  ) {
    this.#client = createClient({
      url,
      disableOfflineQueue: true,
      pingInterval: PING_INTERVAL_MS,
      socket: {
        connectTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: SILENCE_LIMIT_MS,
        reconnectStrategy: () => PAUSE_MS,
      },
    });
    this.#client.on('error', (error) => this.#lose(error));
    this.#limiter = new RateLimiterRedis({
      ...UNLIMITED,
      storeClient: this.#client,
      useRedisPackage: true,
      rejectIfRedisNotReady: true,
    });
    // Not awaited, because the server also starts without Redis.
    this.#client.connect().catch((error: unknown) => this.#lose(error));
  }

  async count(subject: string, windowSeconds: number): Promise<Count> {
    if (this.#lost && performance.now() < this.#tryAgainAt) return this.own.count(subject, windowSeconds);
    // Other requests do not wait for this attempt.
    if (this.#lost) this.#tryAgainAt = performance.now() + PAUSE_MS;
    try {
      // A sent command cannot be cancelled, so a late request can be counted in both places.
      const count = await within(PATIENCE_MS, countBy(this.#limiter, subject, windowSeconds));
      this.#find();
      return count;
    } catch (error) {
      this.#lose(error);
      return this.own.count(subject, windowSeconds);
    }
  }

  close(): void {
    this.#client.destroy();
  }

  #lose(error: unknown): void {
    this.#tryAgainAt = performance.now() + PAUSE_MS;
    if (this.#lost) return;
    this.#lost = true;
    this.logger.warn({ err: error }, 'Redis is unavailable: each node counts rate limits on its own');
  }

  #find(): void {
    if (!this.#lost) return;
    this.#lost = false;
    this.logger.info('Redis is available again: nodes share rate limits');
  }
}
