import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { Clock } from '../clock/clock.js';
import { CONFIG, type Config, ConfigError } from '../config/config.js';
import { LOGGER } from '../logging/logger.js';
import { ListeningConnection } from './listening-connection.js';
import type { RevocationKind } from './revocation.entity.js';
import { RevocationFeed } from './revocation-feed.js';
import { CHANNEL } from './revocations.service.js';
import { readAnnouncement, RevokedMemory, type WireRevocation } from './revoked-memory.js';

const PROBE = 'probe ';
/** Doubled with each failure in a row, up to the second; and never quite the same, so that nodes do not come at once. */
const RECONNECT_MS = 100;
const RECONNECT_AT_MOST_MS = 1_000;
const SILENCE_LIMIT_MS = 2_000;
const TIDY_MS = 60_000;

/** Keeps the feed of this node current: listens, loads, asks for signs of life, and begins anew when it is lost. */
@Injectable()
export class FeedKeeper implements OnModuleInit, OnApplicationShutdown {
  #connection: ListeningConnection | undefined;
  #failures = 0;
  #wasComplete = true;
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

  /** @throws ConfigError if what is announced through DATABASE_URL does not arrive */
  async onModuleInit(): Promise<void> {
    try {
      this.#running = this.#run(await this.#open());
    } catch (error) {
      clearInterval(this.#tidying);
      throw error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#tidying);
    this.#stopping.abort();
    this.#connection?.giveUp(new Error('the application stops'));
    await this.#running;
  }

  /** Listens first and loads then: what commits in between arrives twice, which is one time more than never. */
  async #open(): Promise<ListeningConnection> {
    const probe = PROBE + randomUUID();
    let heard = false;
    const connection = new ListeningConnection(
      (this.config.DATABASE_LISTEN_URL ?? this.config.DATABASE_URL)!,
      Math.max(SILENCE_LIMIT_MS, this.config.FEED_MAX_LAG),
      (payload) => {
        if (payload === probe) heard = true;
        else if (!payload.startsWith(PROBE)) this.#hear(connection, payload);
      },
      () => this.feed.lose(),
    );
    this.#connection = connection;
    try {
      await connection.listen(CHANNEL);
      // Through the pool, as revocations are announced: sent over the connection itself, it would arrive behind a pooler
      // too, and in another database.
      await this.dataSource.query('SELECT pg_notify($1, $2)', [CHANNEL, probe]);
      if (!(await connection.beat()) || !heard) throw this.#unheard();
      await this.#load(connection);
      return connection;
    } catch (error) {
      connection.giveUp(error);
      throw error;
    }
  }

  #unheard(): ConfigError {
    return new ConfigError([
      this.config.DATABASE_LISTEN_URL
        ? 'DATABASE_LISTEN_URL: what is announced through DATABASE_URL does not arrive there: it names another database, or a transaction pooler'
        : 'DATABASE_LISTEN_URL: is missing: what is announced does not arrive through DATABASE_URL, which names a transaction pooler',
    ]);
  }

  /** What cannot be read may be a revocation, as another version announces it: the table has it. */
  #hear(connection: ListeningConnection, payload: string): void {
    try {
      this.feed.receive(readAnnouncement(payload));
    } catch {
      connection.giveUp(new Error('an announcement that is none of ours'));
    }
  }

  async #load(connection: ListeningConnection): Promise<void> {
    const sentAt = performance.now();
    // One more than fits in, to see that there are more; and of those that do not, this one expires last.
    const rows = await connection.query<{
      kind: RevocationKind;
      subject: string;
      since: Date | null;
      expiresAt: Date;
    }>(
      `SELECT kind, subject, since, expires_at AS "expiresAt" FROM revocations WHERE expires_at > $1
       ORDER BY expires_at DESC LIMIT $2`,
      [this.clock.now(), this.memory.limit + 1],
    );
    const revocations = rows.map(({ kind, subject, since, expiresAt }): WireRevocation => [
      kind,
      subject,
      since?.getTime() ?? null,
      expiresAt.getTime(),
    ]);
    this.feed.load(revocations, sentAt);
  }

  async #run(first: ListeningConnection): Promise<void> {
    for (let connection: ListeningConnection | undefined = first; connection;) {
      try {
        for (;;) await this.#beat(connection);
      } catch (error) {
        connection.giveUp(error);
        if (this.#stopping.signal.aborted) return;
        this.logger.warn({ err: error }, 'the revocation feed is lost; the database is asked instead');
      }
      connection = await this.#reopen();
    }
  }

  async #beat(connection: ListeningConnection): Promise<void> {
    const sentAt = performance.now();
    if (!(await connection.beat())) throw this.#unheard();
    this.feed.confirm(sentAt);
    this.#failures = 0;
    this.#sayWhetherComplete();
    await connection.rest(this.config.FEED_MAX_LAG / 4);
  }

  /** undefined once the application stops. */
  async #reopen(): Promise<ListeningConnection | undefined> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const wait = Math.min(RECONNECT_AT_MOST_MS, RECONNECT_MS * 2 ** this.#failures++);
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { ref: false, signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
      const connection = await this.#open().catch(() => undefined);
      if (connection) this.logger.info('the revocation feed is back');
      if (connection) return connection;
    }
    return undefined;
  }

  #tidy(): void {
    this.memory.purge(this.clock.now().getTime());
    const { size: revocations, limit } = this.memory;
    if (revocations > 0) this.logger.info({ revocations, limit }, 'revocations in memory');
  }

  #sayWhetherComplete(): void {
    const complete = this.feed.isComplete;
    if (complete === this.#wasComplete) return;
    this.#wasComplete = complete;
    const { limit } = this.memory;
    if (complete) this.logger.warn({ limit }, 'all revocations are in memory again');
    else this.logger.warn({ limit }, 'more revocations than memory may hold; the database is asked instead');
  }
}
