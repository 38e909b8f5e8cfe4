import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { Clock } from '../clock/clock.js';
import { CONFIG, type Config, ConfigError } from '../config/config.js';
import type { DatabasePool } from '../database/database-pool.js';
import { markAsUnavailable } from '../database/unavailable.js';
import { LOGGER } from '../logging/logger.js';
import { ListeningConnection, type Notify, UnheardError } from './listening-connection.js';
import { loadRevocations } from './load-revocations.js';
import { RevocationFeed } from './revocation-feed.js';
import { CHANNEL } from './revocations.service.js';
import { readAnnouncement, RevokedMemory } from './revoked-memory.js';

/** Asynchronous commit: a probe does not need to survive a crash. */
const NOTIFY = `SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)`;

/** Doubled after each consecutive failure, with jitter, so that nodes do not reconnect at the same time. */
const RECONNECT_MS = 100;
const RECONNECT_AT_MOST_MS = 1_000;
const SILENCE_LIMIT_MS = 2_000;
const TIDY_MS = 60_000;

/** Keeps the feed of this node current: listens, loads, sends probes, and reconnects after a failure. */
@Injectable()
export class FeedKeeper implements OnModuleInit, OnApplicationShutdown {
  #connection: ListeningConnection | undefined;
  #failures = 0;
  #wasComplete = true;
  #wasProven = true;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  readonly #tidying = setInterval(() => this.#tidy(), TIDY_MS).unref();

  constructor(
    private readonly feed: RevocationFeed,
    private readonly memory: RevokedMemory,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  /** @throws ConfigError if notifications through DATABASE_URL do not arrive */
  async onModuleInit(): Promise<void> {
    try {
      this.#running = this.#run(await this.#open());
    } catch (error) {
      clearInterval(this.#tidying);
      throw error instanceof UnheardError ? this.#unheard() : error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#tidying);
    this.#stopping.abort();
    this.#connection?.giveUp(new Error('the application is shutting down'));
    await this.#running;
  }

  /** Listens before it loads, so that it misses nothing. Revocations in between arrive twice. */
  async #open(): Promise<ListeningConnection> {
    const silenceMs = Math.max(SILENCE_LIMIT_MS, this.config.FEED_MAX_LAG);
    const connection = new ListeningConnection(
      (this.config.DATABASE_LISTEN_URL ?? this.config.DATABASE_URL)!,
      silenceMs,
      CHANNEL,
      { onPayload: (payload) => this.#hear(connection, payload), onLost: () => this.feed.lose() },
    );
    this.#connection = connection;
    try {
      await connection.listen();
      const provenAt = await connection.prove(this.#notify, silenceMs);
      if (provenAt === undefined)
        throw markAsUnavailable(new Error('the pool did not send a notification in time'));
      this.feed.load(await loadRevocations(connection, this.memory.limit), provenAt);
      return connection;
    } catch (error) {
      connection.giveUp(error);
      throw error;
    }
  }

  /**
   * Sends a probe through the pool, like a revocation. Over the listening connection itself, it would prove nothing: the
   * pool can use another database or server. It bypasses TypeORM's query log.
   */
  readonly #notify: Notify = (channel, payload) => {
    const { master } = this.dataSource.driver as PostgresDriver & { readonly master: DatabasePool };
    return master.query(NOTIFY, [channel, payload]);
  };

  #unheard(): ConfigError {
    return new ConfigError([
      this.config.DATABASE_LISTEN_URL
        ? 'DATABASE_LISTEN_URL: must point directly to the database of DATABASE_URL, because notifications do not arrive there'
        : 'DATABASE_LISTEN_URL: is required, because DATABASE_URL points to a transaction pooler, which does not pass on notifications',
    ]);
  }

  /** A payload that cannot be read can be a revocation of another version. After a reconnect, the table has it. */
  #hear(connection: ListeningConnection, payload: string): void {
    try {
      this.feed.receive(readAnnouncement(payload));
    } catch {
      connection.giveUp(new Error('received an invalid announcement'));
    }
  }

  async #run(first: ListeningConnection): Promise<void> {
    for (let connection: ListeningConnection | undefined = first; connection;) {
      try {
        for (;;) await this.#beat(connection);
      } catch (error) {
        connection.giveUp(error);
        if (this.#stopping.signal.aborted) return;
        this.logger.warn({ err: error }, 'lost the revocation feed; requests query the database');
      }
      connection = await this.#reopen();
    }
  }

  async #beat(connection: ListeningConnection): Promise<void> {
    const provenAt = await connection.prove(this.#notify, this.config.FEED_MAX_LAG / 2);
    if (provenAt !== undefined) {
      this.feed.confirm(provenAt);
      this.#failures = 0;
    }
    this.#sayWhetherProven(provenAt !== undefined);
    this.#sayWhetherComplete();
    await connection.rest(this.config.FEED_MAX_LAG / 4);
  }

  /** Undefined if the application is shutting down. */
  async #reopen(): Promise<ListeningConnection | undefined> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const wait = Math.min(RECONNECT_AT_MOST_MS, RECONNECT_MS * 2 ** this.#failures++);
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { ref: false, signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
      const connection = await this.#open().catch(() => undefined);
      if (connection) this.logger.info('restored the revocation feed');
      if (connection) return connection;
    }
    return undefined;
  }

  #tidy(): void {
    this.memory.purge(this.clock.monotonic());
    const { size: revocations, limit } = this.memory;
    if (revocations > 0) this.logger.info({ revocations, limit }, 'revocations in memory');
  }

  /** A short delay of a probe is not logged. */
  #sayWhetherProven(proven: boolean): void {
    if (proven === this.#wasProven || (!proven && this.feed.isCurrent)) return;
    this.#wasProven = proven;
    if (proven) this.logger.warn('notifications through the pool arrive again');
    else this.logger.warn('the pool sends no notifications; requests query the database');
  }

  #sayWhetherComplete(): void {
    const complete = this.feed.isComplete;
    if (complete === this.#wasComplete) return;
    this.#wasComplete = complete;
    const { limit } = this.memory;
    if (complete) this.logger.warn({ limit }, 'all revocations fit in memory again');
    else this.logger.warn({ limit }, 'too many revocations for memory; requests query the database');
  }
}
