import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource, type EntityManager, QueryFailedError } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Instruments } from '../../platform/instruments/instruments.js';
import { clientOf } from '../../platform/logging/client-of.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { type EventRecorder, type SecurityEvent, SecurityLog } from '../../platform/logging/security-log.js';
import { PeriodicWrite, UNWRITTEN } from '../../platform/lookup/periodic-write.js';
import { type AuditRow, insertRows, rowOf } from './audit-rows.js';
import { RefusalCounts } from './refusal-counts.js';

const INTERVAL_MS = 1_000;
const BATCH_SIZE = 1_000;
/**
 * Events that wait to be written. Above this limit, for example while the database is down, refusals are only counted.
 * Above twice the limit, all events are.
 */
const MAX_WAITING = 10_000;

/** Refusals that anybody who knows an account or an old token can cause any number of times. */
const COUNTED: ReadonlySet<string> = new Set(['request.refused', 'attempt.limited', 'refresh-token.refused']);

/**
 * Keeps every security event as a row. A change and its row are one transaction. Events without a transaction are written
 * every second. Refusals that anybody can cause are counted.
 */
@Injectable()
export class AuditRecorder implements EventRecorder, OnModuleInit, OnApplicationShutdown {
  readonly #counts = new RefusalCounts();
  readonly #periodic: PeriodicWrite;
  #waiting: AuditRow[] = [];

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly log: SecurityLog,
    private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
    instruments: Instruments,
  ) {
    this.#periodic = new PeriodicWrite(
      INTERVAL_MS,
      () => this.#write(),
      (err) => logger.error({ err }, 'could not write the audit log, will try again'),
    );
    instruments.add(UNWRITTEN, () => this.#waiting.length, { queue: 'audit-events' });
  }

  onModuleInit(): void {
    this.log.register(this);
  }

  record(manager: EntityManager, event: SecurityEvent): Promise<void> {
    return insertRows(manager, [rowOf(event, this.clock.now())]);
  }

  keep(event: SecurityEvent): void {
    const row = rowOf(event, this.clock.now());
    const limit = event.result === 'refused' ? MAX_WAITING : 2 * MAX_WAITING;
    if (isCounted(event) || this.#waiting.length >= limit) this.#counts.add(countable(row));
    else this.#waiting.push(row);
  }

  /** Writes the waiting events now. Never rejects. */
  flush(): Promise<void> {
    return this.#periodic.flush();
  }

  /** Runs after the last answer, and before the hook in which TypeORM closes the pool. */
  async onApplicationShutdown(): Promise<void> {
    this.#waiting.push(...this.#counts.takeAll());
    await this.#periodic.stop();
  }

  async #write(): Promise<void> {
    // Further counts stay where they share rows.
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(...this.#counts.takeBefore(this.clock.now()));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH_SIZE);
      await this.#insert(batch);
      this.#waiting = this.#waiting.slice(batch.length);
    }
  }

  /** Drops a row whose values PostgreSQL refuses: it would keep all later events from being written. */
  async #insert(batch: readonly AuditRow[]): Promise<void> {
    try {
      await insertRows(this.dataSource.manager, batch);
    } catch (err) {
      if (!isDataException(err)) throw err;
      if (batch.length > 1) for (const row of batch) await this.#insert([row]);
      else this.logger.error({ err, event: batch[0]!.type }, 'dropped an audit event that cannot be stored');
    }
  }
}

/** SQLSTATE class 22. */
const isDataException = (error: unknown): boolean =>
  error instanceof QueryFailedError &&
  String((error.driverError as { code?: unknown }).code).startsWith('22');

/** A refusal that names no account, or one of COUNTED. */
const isCounted = ({ type, result, facts }: SecurityEvent): boolean =>
  COUNTED.has(type) ||
  (result === 'refused' && facts.userId === undefined && facts['serviceAccountId'] === undefined);

/** The row of a single refused request names no account. */
const countable = (row: AuditRow): AuditRow => ({
  ...row,
  ...(row.type === 'request.refused' && { account: undefined, actor: undefined }),
  ip: row.ip && clientOf(row.ip),
});
