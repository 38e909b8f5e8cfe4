import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, type EntitySubscriberInterface, type QueryRunner } from 'typeorm';
import { isRemembered, type RevocationKind } from './revocation.entity.js';
import { RevocationFeed } from './revocation-feed.js';
import { KEPT_MS, type WireRevocation } from './revoked-memory.js';

export const CHANNEL = 'revocations';
/** PostgreSQL takes 8,000 bytes in one notification; an entry has less than 120. */
const ENTRIES_PER_NOTIFICATION = 60;
/** An account with more living rows has one entry in the memory of nodes: a thousand accounts cannot fill it. */
export const MERGED_ABOVE = 100;

export interface Revocation {
  readonly kind: RevocationKind;
  readonly subject: string;
  /** The user or service account whose credential it is, unless only administrators can cause it. */
  readonly account?: string;
  /** Of a renewal: the new time of the proof of identity. */
  readonly since?: Date | undefined;
}

// By the database's clock, which deletes them too. $5 rows of an account are too many, the ones of this call included.
const WRITE = `
  WITH entry AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[]) AS e (kind, subject, since, account)),
  crowded AS (
    SELECT e.account FROM (SELECT account, count(*) AS n FROM entry WHERE account IS NOT NULL GROUP BY account) e
    WHERE e.n + (
      SELECT count(*) FROM (
        SELECT FROM revocations r
        WHERE r.account = e.account AND NOT r.merged AND r.expires_at > now() LIMIT $5) living) > $5)
  INSERT INTO revocations (kind, subject, since, account, merged, expires_at)
  SELECT kind, subject, since, account, EXISTS (SELECT FROM crowded c WHERE c.account = entry.account),
    clock_timestamp() + $6::interval
  FROM entry
  RETURNING kind, subject, since, account, merged`;

interface Written {
  readonly kind: RevocationKind;
  readonly subject: string;
  readonly since: Date | null;
  readonly account: string | null;
  readonly merged: boolean;
}

/** Revokes what nodes may have in memory. */
@Injectable()
export class RevocationsService implements EntitySubscriberInterface {
  readonly #uncommitted = new WeakMap<QueryRunner, WireRevocation[]>();

  constructor(
    @InjectDataSource() dataSource: DataSource,
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
    if (revocations.length === 0) return;
    const wire = [
      ...(await this.#write(
        manager,
        revocations.filter(({ kind }) => isRemembered(kind)),
      )),
      ...revocations
        .filter(({ kind }) => !isRemembered(kind))
        .map(({ kind, subject }): WireRevocation => [kind, subject, null]),
    ];
    const parts: string[] = [];
    for (let i = 0; i < wire.length; i += ENTRIES_PER_NOTIFICATION)
      parts.push(JSON.stringify(wire.slice(i, i + ENTRIES_PER_NOTIFICATION)));
    await manager.query('SELECT pg_notify($1, part) FROM unnest($2::text[]) AS part', [CHANNEL, parts]);
    this.#uncommitted.set(queryRunner, [...(this.#uncommitted.get(queryRunner) ?? []), ...wire]);
  }

  /** This node does not wait for its own notification: what it answers next is right already. */
  afterTransactionCommit({ queryRunner }: { queryRunner: QueryRunner }): void {
    // TypeORM says so of a savepoint too, and the rest may still be rolled back.
    if (queryRunner.isTransactionActive) return;
    this.feed.receive(this.#uncommitted.get(queryRunner) ?? []);
    this.#uncommitted.delete(queryRunner);
  }

  afterTransactionRollback({ queryRunner }: { queryRunner: QueryRunner }): void {
    this.#uncommitted.delete(queryRunner);
  }

  /** Returns what nodes are told: each revocation, or one entry for an account that has too many. */
  async #write(manager: EntityManager, revocations: readonly Revocation[]): Promise<WireRevocation[]> {
    if (revocations.length === 0) return [];
    const rows: Written[] = await manager.query(WRITE, [
      revocations.map(({ kind }) => kind),
      revocations.map(({ subject }) => subject),
      revocations.map(({ since }) => since ?? null),
      revocations.map(({ account }) => account ?? null),
      MERGED_ABOVE,
      `${KEPT_MS} milliseconds`,
    ]);
    const merged = new Set(rows.flatMap((row) => (row.merged ? [row.account!] : [])));
    return [
      ...[...merged].map((account): WireRevocation => ['user', account, null]),
      ...rows.flatMap((row): WireRevocation[] =>
        row.merged ? [] : [[row.kind, row.subject, row.since?.getTime() ?? null]],
      ),
    ];
  }
}
