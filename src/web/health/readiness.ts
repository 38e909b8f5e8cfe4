import { setTimeout } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { pendingMigrations } from '../../platform/database/migrate.js';
import { sqlStateOf, UNDEFINED_TABLE } from '../../platform/database/retry-transaction.js';
import { isDatabaseUnavailable } from '../../platform/database/unavailable.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { RevocationFeed } from '../../platform/revocations/revocation-feed.js';
import { ShuttingDownError } from '../http/http.errors.js';
import { type FailingPart, notReady } from './health.errors.js';

/** Something that the node cannot work without. */
export interface NeededPart extends FailingPart {
  /** Rejects if it fails. */
  check(): Promise<unknown>;
}

const DATABASE: FailingPart = { part: 'database', detail: 'The database does not accept writes.' };
const MIGRATIONS: FailingPart = {
  part: 'migrations',
  detail: 'The schema lacks migrations of this version.',
};
const FEED: FailingPart = {
  part: 'revocation-feed',
  detail: 'The node can miss revocations, so every request queries the database.',
};

/** Whether this node can answer requests. */
@Injectable()
export class Readiness {
  readonly #needed: NeededPart[] = [
    { ...DATABASE, check: () => this.#write() },
    { ...MIGRATIONS, check: () => this.#checkMigrations() },
  ];
  #draining = false;
  #checking: Promise<FailingPart[]> | undefined;
  /** The failing parts of the last check. */
  #logged = '';

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly feed: RevocationFeed,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Adds a part of a room. */
  require(part: NeededPart): void {
    this.#needed.push(part);
  }

  /** Turns readiness off, then waits until load balancers have seen it. The server still answers meanwhile. */
  async drain(ms: number): Promise<void> {
    this.#draining = true;
    await setTimeout(ms);
  }

  /**
   * Returns the parts that fail, but without which the node still answers correctly.
   * @throws ShuttingDownError
   * @throws ProblemError with the failing parts
   */
  async check(): Promise<FailingPart[]> {
    if (this.#draining) throw new ShuttingDownError();
    // Calls at the same time share one check, so that strangers cannot use up the pool.
    this.#checking ??= this.#failing().finally(() => (this.#checking = undefined));
    const failing = await this.#checking;
    if (failing.length > 0) throw notReady(failing);
    return this.feed.isCurrent ? [] : [FEED];
  }

  /** Without the database, the other parts cannot be checked. */
  async #failing(): Promise<FailingPart[]> {
    const failing = new Map<string, FailingPart>();
    let reason: unknown;
    for (const { part, detail, check } of this.#needed) {
      if (failing.has(DATABASE.part)) break;
      await check().catch((error: unknown) => {
        reason = error;
        const cause = causeOf(error) ?? { part, detail };
        failing.set(cause.part, cause);
      });
    }
    this.#log([...failing.keys()], reason);
    return [...failing.values()];
  }

  /** Locks no row, but a read-only server refuses it, and the pool then drops the connection. */
  async #write(): Promise<void> {
    await this.dataSource.query('SELECT FROM revocations WHERE false FOR UPDATE');
  }

  async #checkMigrations(): Promise<void> {
    const pending = await pendingMigrations(this.dataSource);
    if (pending.length > 0) throw new Error(`missing migrations: ${pending.join(', ')}`);
  }

  /** Logs changes only, because load balancers ask every few seconds. */
  #log(failing: string[], err: unknown): void {
    const parts = failing.join(', ');
    if (parts === this.#logged) return;
    this.#logged = parts;
    if (failing.length > 0) this.logger.error({ failing, err }, 'not ready');
    else this.logger.info('ready again');
  }
}

/** The part behind an error that every part can have. */
function causeOf(error: unknown): FailingPart | undefined {
  if (isDatabaseUnavailable(error)) return DATABASE;
  return sqlStateOf(error) === UNDEFINED_TABLE ? MIGRATIONS : undefined;
}
