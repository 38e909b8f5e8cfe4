import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { InjectDataSource } from '@nestjs/typeorm';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { Clock } from '../../platform/clock/clock.js';
import { Instruments } from '../../platform/instruments/instruments.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { contextOf, requestContext } from '../../platform/logging/request-context.js';
import { UNWRITTEN } from '../../platform/lookup/periodic-write.js';
import { WriteBehind } from '../../platform/lookup/write-behind.js';
import { type RateLimit, RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import { networkAround, type Networks } from './networks.js';

declare module '../../platform/logging/request-context.js' {
  interface RequestContext {
    /** The key behind the request, set as soon as it is known, also if the request is then refused. */
    keyId?: string;
  }
}

const LAST_USED_INTERVAL_MS = 5_000;

/** The limits of a key. */
interface BoundKey {
  readonly id: string;
  readonly lineageId: string;
  readonly rateLimit: RateLimit;
  /** Undefined: all addresses are allowed. */
  readonly networks: Networks | undefined;
}

interface Use {
  readonly at: Date;
  readonly ip: string | undefined;
}

export interface AnsweredRequest {
  readonly keyId: string;
  /** The address of the client. */
  readonly ip: string;
  readonly status: number;
}

type Listener = (request: AnsweredRequest) => void;

/** Checks the limits of a valid key for the current request: client address and rate limit. Records the use. */
@Injectable()
export class ApiKeyAdmission implements OnModuleInit, OnApplicationShutdown {
  readonly #lastUsed: WriteBehind<Use>;
  readonly #listeners: Listener[] = [];

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly limiter: RateLimiter,
    private readonly http: HttpAdapterHost,
    @Inject(LOGGER) logger: Logger,
    instruments: Instruments,
  ) {
    this.#lastUsed = new WriteBehind(
      LAST_USED_INTERVAL_MS,
      (uses) => this.#writeLastUsed(uses),
      (err) => logger.warn({ err }, 'could not write the last uses of API keys, will try again'),
    );
    instruments.add(UNWRITTEN, () => this.#lastUsed.size, { queue: 'api-keys-last-used' });
  }

  /**
   * The limits of a key also apply to tokens that were exchanged for it.
   * @throws InvalidCredentialError if the address is not allowed, so that the answer does not reveal a valid key
   * @throws RateLimitedError unless `limited` is false
   */
  admit(key: BoundKey, { limited = true } = {}): void | Promise<void> {
    const context = requestContext();
    // Refused requests count as uses of the key too.
    if (context) {
      context.keyId = key.id;
      // So that the log names the key of a refused request. A verified principal replaces it.
      context.facts = { credentialId: key.id };
    }
    const ip = context?.ip;
    if (key.networks && !(ip !== undefined && key.networks.has(ip)))
      throw new InvalidCredentialError(`address not allowed for the key: ${key.id}`);
    this.#lastUsed.set(key.id, { at: this.clock.now(), ip });
    // The keys of a lineage share one limit, so that a rotation does not double it.
    if (limited) return this.limiter.consume('key', key.lineageId, key.rateLimit);
  }

  /**
   * Reports each answered request with a key or a token exchanged for one, also if it was refused. The listener runs on
   * every such request, so it must be fast and must not throw.
   */
  whenAnswered(listener: Listener): void {
    this.#listeners.push(listener);
  }

  onModuleInit(): void {
    // Commands have no HTTP server.
    if (!this.http.httpAdapter) return;
    const fastify: FastifyInstance = this.http.httpAdapter.getInstance();
    fastify.addHook('onResponse', (request, reply, done) => {
      const context = contextOf(request);
      if (context?.keyId !== undefined) {
        const answered = { keyId: context.keyId, ip: context.ip, status: reply.statusCode };
        for (const listener of this.#listeners) listener(answered);
      }
      done();
    });
  }

  /** Runs before the hook in which TypeORM closes the pool. */
  onApplicationShutdown(): Promise<void> {
    return this.#lastUsed.stop();
  }

  async #writeLastUsed(uses: Map<string, Use>): Promise<void> {
    // SKIP LOCKED: do not wait for a row that another node or a revocation holds. This also prevents deadlocks of batches.
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
