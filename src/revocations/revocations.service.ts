import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, type EntitySubscriberInterface, type QueryRunner } from 'typeorm';
import { Clock } from '../clock/clock.js';
import { type RevocationKind, RevocationRow } from './revocation.entity.js';
import { RevocationFeed } from './revocation-feed.js';
import type { WireRevocation } from './revoked-memory.js';

export const CHANNEL = 'revocations';
/** No access token lives longer than 15 minutes; the rest is for clocks that differ. */
const KEPT_MS = 16 * 60_000;
/** PostgreSQL takes 8,000 bytes in one notification; an entry has less than 120. */
const ENTRIES_PER_NOTIFICATION = 60;

export interface Revocation {
  readonly kind: RevocationKind;
  readonly subject: string;
  /** Of a renewal: the new time of the proof of identity. */
  readonly since?: Date | undefined;
}

/** Takes back what nodes may have in memory. */
@Injectable()
export class RevocationsService implements EntitySubscriberInterface {
  readonly #uncommitted = new WeakMap<QueryRunner, WireRevocation[]>();

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly clock: Clock,
    private readonly feed: RevocationFeed,
  ) {
    dataSource.subscribers.push(this);
  }

  /**
   * Records revocations and announces them, both in the transaction of `manager`: no node hears of what is not
   * committed, and none misses what is. NOTIFY makes commits wait for each other, so it is for this only.
   * @throws outside of a transaction
   */
  async announce(manager: EntityManager, revocations: readonly Revocation[]): Promise<void> {
    const { queryRunner } = manager;
    if (!queryRunner?.isTransactionActive) throw new Error('a revocation needs the transaction that revokes');
    const expiresAt = this.clock.in(KEPT_MS);
    for (let i = 0; i < revocations.length; i += ENTRIES_PER_NOTIFICATION) {
      const part = revocations.slice(i, i + ENTRIES_PER_NOTIFICATION);
      const rows = part.map(({ kind, subject, since }) => ({
        kind,
        subject,
        since: since ?? null,
        expiresAt,
      }));
      const wire = rows.map(({ kind, subject, since }): WireRevocation => [
        kind,
        subject,
        since?.getTime() ?? null,
        expiresAt.getTime(),
      ]);
      await manager.insert(RevocationRow, rows);
      await manager.query('SELECT pg_notify($1, $2)', [CHANNEL, JSON.stringify(wire)]);
      this.#uncommitted.set(queryRunner, [...(this.#uncommitted.get(queryRunner) ?? []), ...wire]);
    }
  }

  /** This node does not wait for its own notification: what it answers next is right already. */
  afterTransactionCommit({ queryRunner }: { queryRunner: QueryRunner }): void {
    // TypeORM says so of a savepoint too, and the rest may still be taken back.
    if (queryRunner.isTransactionActive) return;
    this.feed.receive(this.#uncommitted.get(queryRunner) ?? []);
    this.#uncommitted.delete(queryRunner);
  }

  afterTransactionRollback({ queryRunner }: { queryRunner: QueryRunner }): void {
    this.#uncommitted.delete(queryRunner);
  }
}
