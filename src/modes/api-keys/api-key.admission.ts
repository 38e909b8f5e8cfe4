import { type OnApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { Clock } from '../../platform/clock/clock.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { requestContext } from '../../platform/logging/request-context.js';
import { WriteBehind } from '../../platform/lookup/write-behind.js';
import { type RateLimit, RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import { networkAround, type Networks } from './networks.js';

declare module '../../platform/logging/request-context.js' {
  interface RequestContext {
    /** The key behind the request, noted as soon as it is known, also where the request is then refused. */
    keyId?: string;
  }
}

const LAST_USED_INTERVAL_MS = 5_000;

/** Of a key, what bounds its use. */
interface BoundKey {
  readonly id: string;
  readonly lineageId: string;
  readonly rateLimit: RateLimit;
  /** Undefined: from anywhere. */
  readonly networks: Networks | undefined;
}

interface Use {
  readonly at: Date;
  readonly ip: string | undefined;
}

/** Lets the request under way pass in the name of a key that works: from where it may be used, and no more than it may. */
@Injectable()
export class ApiKeyAdmission implements OnApplicationShutdown {
  readonly #lastUsed: WriteBehind<Use>;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly limiter: RateLimiter,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#lastUsed = new WriteBehind(
      LAST_USED_INTERVAL_MS,
      (uses) => this.#writeLastUsed(uses),
      (err) => logger.warn({ err }, 'the last uses of API keys wait to be written'),
    );
  }

  /**
   * Whoever presents a key, or a token exchanged for one, is bound by what the key is bound to.
   * @throws InvalidCredentialError where the address is none that the key may be used from: whether the key is a real
   * one is not for strangers
   * @throws RateLimitedError, unless the request is one that is never limited
   */
  admit(key: BoundKey, { limited = true } = {}): Promise<void> {
    const context = requestContext();
    // Refused or not, it is a use of this key.
    if (context) context.keyId = key.id;
    const ip = context?.ip;
    if (key.networks && !(ip !== undefined && key.networks.has(ip)))
      return Promise.reject(new InvalidCredentialError(`address that is not allowed for the key: ${key.id}`));
    this.#lastUsed.set(key.id, { at: this.clock.now(), ip });
    if (!limited) return Promise.resolve();
    // By the lineage, so that a rotation does not double the limit.
    return this.limiter.consume('key', key.lineageId, key.rateLimit);
  }

  /** Before the last hook, in which TypeORM closes the pool. */
  onApplicationShutdown(): Promise<void> {
    return this.#lastUsed.stop();
  }

  async #writeLastUsed(uses: Map<string, Use>): Promise<void> {
    // SKIP LOCKED: a row that another node or a revocation holds is not worth a wait, nor the deadlock of two batches.
    await this.dataSource.query(
      `WITH used AS (
         SELECT k.id, use.at, use.network
         FROM unnest($1::uuid[], $2::timestamptz[], $3::cidr[]) AS use (id, at, network)
           JOIN api_keys k ON k.id = use.id AND (k.last_used_at IS NULL OR k.last_used_at < use.at)
         FOR NO KEY UPDATE OF k SKIP LOCKED)
       UPDATE api_keys k SET last_used_at = used.at, last_network = used.network FROM used WHERE k.id = used.id`,
      [
        [...uses.keys()],
        [...uses.values()].map(({ at }) => at),
        [...uses.values()].map(({ ip }) => (ip !== undefined && networkAround(ip)) || null),
      ],
    );
  }
}
