import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Chain } from '../../platform/crypto/chain.js';
import { AfterCommit } from '../../platform/database/after-commit.js';
import { LOGGER } from '../../platform/logging/logger.js';
import './audit.settings.js';
import {
  GENESIS,
  headOf,
  makeSeal,
  PURPOSE,
  SEAL_COLUMNS,
  type Seal,
  type SealedText,
  TEXT,
} from './seal.js';

/** "audt" in ASCII: the advisory lock for the end of the chain. */
const LOCK = 0x61756474;
export const SEAL_INTERVAL_MS = 10_000;
/** Shorter than the interval, because a seal is made a moment after the tick of the timer. */
const MIN_AGE_MS = SEAL_INTERVAL_MS / 2;
/** The most events of one seal. The next seal takes the rest. */
const MAX_EVENTS = 10_000;

// The queue holds what is committed and not sealed, however late it was committed. A removed event stays in
// it, so that the verification finds it.
const TAKE = `
  WITH taken AS (
    DELETE FROM audit_unsealed WHERE event_id IN (
      SELECT u.event_id FROM audit_unsealed u JOIN audit_events e ON e.id = u.event_id ORDER BY u.event_id LIMIT $1)
    RETURNING event_id)
  SELECT e.id, ${TEXT} AS text FROM audit_events e JOIN taken ON taken.event_id = e.id ORDER BY e.id`;

/** Seals committed events into a chain of seals. */
@Injectable()
export class AuditSealer {
  readonly #chain: Chain;

  constructor(
    private readonly clock: Clock,
    private readonly afterCommit: AfterCommit,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CONFIG) { ENCRYPTION_SECRETS }: Config,
  ) {
    this.#chain = new Chain(ENCRYPTION_SECRETS[0]!, PURPOSE);
  }

  /** Seals the events that are not sealed, unless the last seal is young and was not full. Returns whether the new one is full. */
  async sealNew(manager: EntityManager): Promise<boolean> {
    const last = await this.#last(manager);
    const now = this.clock.now();
    // Also without a time in the future, which a clock that was wrong can leave behind.
    const age = last ? Math.abs(now.getTime() - last.sealedAt.getTime()) : Infinity;
    const wasFull = last?.eventIds.length === MAX_EVENTS;
    if (age < MIN_AGE_MS && !wasFull) return false;
    const events: SealedText[] = await manager.query(TAKE, [MAX_EVENTS]);
    if (events.length === 0) return false;
    await this.#insert(manager, last, null, events);
    return events.length === MAX_EVENTS;
  }

  /**
   * Removes the events below an id, then seals that statement. The end of the chain is locked first, as in `sealNew`, so that
   * the two cannot wait for each other.
   */
  async sealRetirement<T>(
    manager: EntityManager,
    retiredBefore: string,
    remove: () => Promise<T>,
  ): Promise<T> {
    const last = await this.#last(manager);
    const removed = await remove();
    await this.#insert(manager, last, retiredBefore, []);
    return removed;
  }

  /** Returns the last seal. Retention also makes seals, and waits here. */
  async #last(manager: EntityManager): Promise<Seal | undefined> {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const [last]: Seal[] = await manager.query(
      `SELECT ${SEAL_COLUMNS} FROM audit_seals ORDER BY number DESC LIMIT 1`,
    );
    return last;
  }

  /** Logs the head of the chain: with a copy elsewhere, `audit:verify` also finds that the last seals were removed. */
  async #insert(
    manager: EntityManager,
    last: Seal | undefined,
    retiredBefore: string | null,
    events: readonly SealedText[],
  ): Promise<void> {
    const header = { number: (last?.number ?? 0) + 1, sealedAt: this.clock.now(), retiredBefore };
    const seal = makeSeal(this.#chain, last ? headOf(last) : GENESIS, header, events);
    await manager.query(
      `INSERT INTO audit_seals (number, sealed_at, retired_before, event_ids, links) VALUES ($1, $2, $3, $4, $5)`,
      [seal.number, seal.sealedAt, seal.retiredBefore, seal.eventIds, seal.links],
    );
    const facts = { seal: seal.number, events: events.length, head: headOf(seal).toString('hex') };
    this.afterCommit.run(manager, () => this.logger.info(facts, 'audit events sealed'));
  }
}
