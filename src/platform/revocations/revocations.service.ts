import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AfterCommit } from '../database/after-commit.js';
import { isRemembered, type RevocationKind } from './revocation.entity.js';
import { RevocationFeed } from './revocation-feed.js';
import { KEPT_MS, type WireRevocation } from './revoked-memory.js';

export const CHANNEL = 'revocations';
/** A notification can have 8,000 bytes, and an entry has fewer than 120. */
const ENTRIES_PER_NOTIFICATION = 60;
/** An account with more living rows gets one entry for all, so that a thousand accounts cannot fill the memory. */
export const MERGED_ABOVE = 100;

export interface Revocation {
  readonly kind: RevocationKind;
  readonly subject: string;
  /** The owner of the credential, unless only administrators can cause this revocation. */
  readonly account?: string;
  /** Revokes only tokens that were issued for an authentication before this time. */
  readonly since?: Date | undefined;
}

// By the database's clock, which also decides on deletion. More than $5 rows of an account, with those of this call, are merged.
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

/** Announces revocations to all nodes. */
@Injectable()
export class RevocationsService {
  constructor(
    private readonly afterCommit: AfterCommit,
    private readonly feed: RevocationFeed,
  ) {}

  /**
   * Stores and announces revocations in the transaction of `manager`, so that nodes receive them exactly if it commits.
   * Use NOTIFY for nothing else, because it serializes commits.
   * @throws outside a transaction
   */
  async announce(manager: EntityManager, revocations: readonly Revocation[]): Promise<void> {
    if (!manager.queryRunner?.isTransactionActive)
      throw new Error('a revocation must be announced in the transaction that revokes');
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
    // This node does not wait for its own notification.
    this.afterCommit.run(manager, () => this.feed.receive(wire));
  }

  /** Stores revocations. Returns their announcements, with one entry for an account that has too many. */
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
