import { performance } from 'node:perf_hooks';
import { createClient } from '@redis/client';
import type { Logger } from 'pino';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { type Count, countBy, type Counter, UNLIMITED } from './counters.js';

/** No request waits longer for Redis. */
const PATIENCE_MS = 250;
/** After a failure one request in so many milliseconds tries again, and no other waits. */
const PAUSE_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
const PING_INTERVAL_MS = 1_000;
/** Longer than the pings are apart: a connection that is silent for so long is made anew. */
const SILENCE_LIMIT_MS = 5_000;

/**
 * Of all nodes together. When Redis is gone, silent or refuses, each node goes on with what it counts itself, and says
 * so once.
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
    // Not awaited: without Redis the server starts all the same.
    this.#client.connect().catch((error: unknown) => this.#lose(error));
  }

  async count(subject: string, windowSeconds: number): Promise<Count> {
    if (this.#lost && performance.now() < this.#tryAgainAt) return this.own.count(subject, windowSeconds);
    // Whoever comes while this one tries does not wait with it.
    if (this.#lost) this.#tryAgainAt = performance.now() + PAUSE_MS;
    try {
      const count = await withinPatience(countBy(this.#limiter, subject, windowSeconds));
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
    this.logger.warn({ err: error }, 'Redis is gone: rate limits are counted by each node alone');
  }

  #find(): void {
    if (!this.#lost) return;
    this.#lost = false;
    this.logger.info('Redis is back: rate limits are shared again');
  }
}

/** A command that was sent cannot be taken back: at worst it is counted in both places. */
function withinPatience<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const patience = new Promise<never>((_resolve, reject) => {
    const giveUp = () => reject(new Error(`no answer within ${PATIENCE_MS} ms`));
    // What has arrived while this process was busy is read first.
    timer = setTimeout(() => setImmediate(giveUp), PATIENCE_MS);
  });
  return Promise.race([work, patience]).finally(() => clearTimeout(timer));
}
