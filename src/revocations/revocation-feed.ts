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
import { readAnnouncement, RevokedMemory, type WireRevocation } from './revoked-memory.js';

export const CHANNEL = 'revocations';
const PROBE = 'probe ';
/** Doubled with each failure in a row, up to the second; and never quite the same, so that nodes do not come at once. */
const RECONNECT_MS = 100;
const RECONNECT_AT_MOST_MS = 1_000;
const SILENCE_LIMIT_MS = 2_000;
const TIDY_MS = 60_000;

export type RevocationListener = (revocation: WireRevocation | 'everything') => void;

/**
 * What was revoked on any node, in the memory of this one. A revocation that was answered is known here within
 * FEED_MAX_LAG, normally within milliseconds; when that cannot be promised, `isCurrent` is false, and whoever asks has
 * to ask the database.
 */
@Injectable()
export class RevocationFeed implements OnModuleInit, OnApplicationShutdown {
  readonly #listeners: RevocationListener[] = [];
  /** On the monotonic clock; when the last heartbeat that was answered had been sent: what was committed then is known. */
  #confirmedAt = -Infinity;
  #position = 0;
  #connection: ListeningConnection | undefined;
  #failures = 0;
  #wasComplete = true;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  readonly #tidying = setInterval(() => this.#tidy(), TIDY_MS).unref();

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly memory: RevokedMemory,
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

  /** Whether memory may be believed at this moment. */
  get isCurrent(): boolean {
    return performance.now() - this.#confirmedAt <= this.config.FEED_MAX_LAG && this.#isComplete;
  }

  /** Changes with everything that arrives: what was read while it changed may be old, and must not be remembered. */
  get position(): number {
    return this.#position;
  }

  /** How many revocations are in memory. */
  get size(): number {
    return this.memory.size;
  }

  /** Up to when (milliseconds) what names this subject is over: Infinity for all of it, -Infinity for none. */
  revokedUntil(kind: RevocationKind, subject: string): number {
    return this.memory.revokedUntil(kind, subject);
  }

  /** Calls `listener` with each revocation as it arrives, and with 'everything' when some may have been missed. */
  onRevocation(listener: RevocationListener): void {
    this.#listeners.push(listener);
  }

  /** Takes in what arrived, or what this node has just committed itself. */
  receive(revocations: readonly WireRevocation[]): void {
    for (const revocation of revocations) {
      this.memory.add(revocation);
      this.#tell(revocation);
    }
  }

  #tell(revocation: WireRevocation | 'everything'): void {
    this.#position += 1;
    for (const listener of this.#listeners) listener(revocation);
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
      () => (this.#confirmedAt = -Infinity),
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
      this.receive(readAnnouncement(payload));
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
    for (const { kind, subject, since, expiresAt } of rows)
      this.memory.add([kind, subject, since?.getTime() ?? null, expiresAt.getTime()]);
    this.#tell('everything');
    this.#confirmedAt = sentAt;
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
    this.#confirmedAt = sentAt;
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

  get #isComplete(): boolean {
    return this.memory.isComplete(this.clock.now().getTime());
  }

  #tidy(): void {
    this.memory.purge(this.clock.now().getTime());
    const { size: revocations, limit } = this.memory;
    if (revocations > 0) this.logger.info({ revocations, limit }, 'revocations in memory');
  }

  #sayWhetherComplete(): void {
    const complete = this.#isComplete;
    if (complete === this.#wasComplete) return;
    this.#wasComplete = complete;
    const { limit } = this.memory;
    if (complete) this.logger.warn({ limit }, 'all revocations are in memory again');
    else this.logger.warn({ limit }, 'more revocations than memory may hold; the database is asked instead');
  }
}
