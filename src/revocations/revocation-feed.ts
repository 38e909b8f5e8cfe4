import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import pg from 'pg';
import type { Logger } from 'pino';
import { Clock } from '../clock/clock.js';
import { CONFIG, type Config, ConfigError } from '../config/config.js';
import { LOGGER } from '../logging/logger.js';
import type { RevocationKind } from './revocation.entity.js';
import { RevokedMemory, type WireRevocation } from './revoked-memory.js';

export const CHANNEL = 'revocations';
const RECONNECT_MS = 100;
const PURGE_MS = 60_000;

export type RevocationListener = (revocation: WireRevocation | 'everything') => void;

/**
 * What was revoked on any node, in the memory of this one. A revocation that was answered is known here within
 * FEED_MAX_LAG, normally within milliseconds; when that cannot be promised, `isCurrent` is false, and whoever asks has
 * to ask the database.
 *
 * Each heartbeat is a query on the listening connection. PostgreSQL sends what is committed before it answers, so all
 * that was committed when the last answered heartbeat was sent is known here by now.
 */
@Injectable()
export class RevocationFeed implements OnModuleInit, OnApplicationShutdown {
  #memory = new RevokedMemory();
  readonly #listeners: RevocationListener[] = [];
  /** On the monotonic clock; when the last heartbeat that was answered had been sent. */
  #confirmedAt = -Infinity;
  #position = 0;
  #client: pg.Client | undefined;
  #stopped = false;
  /** Ends the pause between two heartbeats. */
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  readonly #purging = setInterval(() => this.#memory.purge(this.clock.now().getTime()), PURGE_MS).unref();

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws ConfigError if notifications do not arrive, as behind a transaction pooler */
  async onModuleInit(): Promise<void> {
    const client = await this.#connect();
    await this.#proveThatNotificationsArrive(client);
    this.#running = this.#run(client);
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    this.#stopping.abort();
    clearInterval(this.#purging);
    await this.#client?.end().catch(() => undefined);
    await this.#running;
  }

  /** Whether memory may be believed at this moment. */
  get isCurrent(): boolean {
    return performance.now() - this.#confirmedAt <= this.config.FEED_MAX_LAG;
  }

  /** Changes with everything that arrives: what was read while it changed may be old, and must not be remembered. */
  get position(): number {
    return this.#position;
  }

  /** How many revocations are in memory. */
  get size(): number {
    return this.#memory.size;
  }

  /** Up to when (milliseconds) what names this subject is over: Infinity for all of it, -Infinity for none. */
  revokedUntil(kind: RevocationKind, subject: string): number {
    return this.#memory.revokedUntil(kind, subject);
  }

  /** Calls `listener` with each revocation as it arrives, and with 'everything' when some may have been missed. */
  onRevocation(listener: RevocationListener): void {
    this.#listeners.push(listener);
  }

  /** Listens first and loads then: what commits in between arrives twice, which is one time more than never. */
  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.config.DATABASE_LISTEN_URL ?? this.config.DATABASE_URL,
      connectionTimeoutMillis: this.config.FEED_MAX_LAG * 2,
      application_name: 'auth-modes feed',
      keepAlive: true,
    });
    client.on('error', () => undefined);
    client.on('notification', ({ payload }) => {
      if (payload?.startsWith('[')) this.receive(JSON.parse(payload) as WireRevocation[]);
    });
    try {
      await client.connect();
      this.#client = client;
      await client.query(`LISTEN ${CHANNEL}`);
      await this.#load(client);
      return client;
    } catch (error) {
      void client.end().catch(() => undefined);
      throw error;
    }
  }

  async #load(client: pg.Client): Promise<void> {
    const sentAt = performance.now();
    const { rows } = await client.query<{
      kind: RevocationKind;
      subject: string;
      since: Date | null;
      expiresAt: Date;
    }>('SELECT kind, subject, since, expires_at AS "expiresAt" FROM revocations WHERE expires_at > $1', [
      this.clock.now(),
    ]);
    for (const { kind, subject, since, expiresAt } of rows)
      this.#memory.add([kind, subject, since?.getTime() ?? null, expiresAt.getTime()]);
    this.#tell('everything');
    this.#confirmedAt = sentAt;
  }

  /** Takes in what arrived, or what this node has just committed itself. */
  receive(revocations: readonly WireRevocation[]): void {
    for (const revocation of revocations) {
      this.#memory.add(revocation);
      this.#tell(revocation);
    }
  }

  #tell(revocation: WireRevocation | 'everything'): void {
    this.#position += 1;
    for (const listener of this.#listeners) listener(revocation);
  }

  async #run(first: pg.Client): Promise<void> {
    let client: pg.Client | undefined = first;
    while (!this.#stopped) {
      try {
        client ??= await this.#connect();
        await this.#beat(client);
        await sleep(this.config.FEED_MAX_LAG / 4, undefined, { ref: false, signal: this.#stopping.signal });
      } catch (error) {
        if (this.#stopped) return;
        if (client)
          this.logger.warn({ err: error }, 'the revocation feed is lost; the database is asked instead');
        this.#confirmedAt = -Infinity;
        void client?.end().catch(() => undefined);
        client = undefined;
        await sleep(RECONNECT_MS, undefined, { ref: false });
      }
    }
  }

  async #beat(client: pg.Client): Promise<void> {
    const sentAt = performance.now();
    const timeout = sleep(this.config.FEED_MAX_LAG, 'late' as const, { ref: false });
    const answer = client.query('SELECT 1');
    answer.catch(() => undefined);
    if ((await Promise.race([answer, timeout])) === 'late')
      throw new Error('the heartbeat of the feed is late');
    this.#confirmedAt = sentAt;
  }

  async #proveThatNotificationsArrive(client: pg.Client): Promise<void> {
    const probe = `probe ${Math.random()}`;
    const arrived = new Promise<void>((resolve) => {
      client.on('notification', ({ payload }) => payload === probe && resolve());
    });
    await client.query('SELECT pg_notify($1, $2)', [CHANNEL, probe]);
    const late = sleep(2 * this.config.FEED_MAX_LAG, 'late' as const, { ref: false });
    if ((await Promise.race([arrived, late])) === 'late')
      throw new ConfigError([
        'DATABASE_LISTEN_URL: is needed, since notifications do not arrive through DATABASE_URL: it is a transaction pooler',
      ]);
  }
}
