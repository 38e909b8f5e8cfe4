import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import type { PageQuery } from '../../web/pagination/page.js';
import { ApiKeyNotices, type KeyFindings, mailAbout } from './api-key.notices.js';

const DAY_MS = 86_400_000;
const AGED_MS = 90 * DAY_MS;
/** How long a key with unusual use has a warning. */
const UNUSUAL_MS = 7 * DAY_MS;
/** How long before its expiry the owner of a key is told. */
const EXPIRES_SOON_MS = 14 * DAY_MS;
/** A limit, because the first run after an upgrade can find keys of all owners. */
const DIGESTS_PER_ROUND = 100;
const SUBJECT = 'Some of your API keys need attention';
const ADVICE = `Delete keys that you do not need. Rotate the others, so that old copies of
them stop working, and give them an expiry.`;

/** The warnings about keys that have no successor. $1 is now, $2 is 90 days ago. */
const WARNINGS = `
  SELECT k.id, k.owner_id, k.prefix, k.last4, k.name, w.warning
  FROM api_keys k CROSS JOIN LATERAL (VALUES
      ('never-expires', k.expires_at IS NULL),
      ('not-rotated', k.created_at <= $2),
      ('unused', coalesce(k.last_used_at, k.created_at) <= $2)) AS w (warning, holds)
  WHERE w.holds AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $1)
    AND NOT EXISTS (SELECT FROM api_keys n WHERE n.id = k.rotated_to AND n.revoked_at IS NULL)`;

/** Mailed once to the owner of a key that expires within 14 days, unless it was made for less than that. $5 is in 14 days. */
const EXPIRING = `
  SELECT k.id, k.owner_id, k.prefix, k.last4, k.name, 'expires-soon' AS warning
  FROM api_keys k
  WHERE k.revoked_at IS NULL AND k.expires_at > $1 AND k.expires_at <= $5
    AND k.expires_at - k.created_at > $5 - $1
    AND NOT EXISTS (SELECT FROM api_keys n WHERE n.id = k.rotated_to AND n.revoked_at IS NULL)`;

const OF_OWNER = `
  SELECT id, array_agg(warning ORDER BY warning) AS warnings FROM (
    SELECT w.id, w.warning FROM (${WARNINGS}) w WHERE w.owner_id = $3
    UNION
    SELECT k.id, 'unusual-use'
    FROM api_keys k JOIN api_key_anomalies a ON a.lineage_id = k.lineage_id AND a.api_key_id = k.id
    WHERE k.owner_id = $3 AND k.revoked_at IS NULL AND a.noticed_at > $4
  ) one
  WHERE $5::uuid IS NULL OR id < $5
  GROUP BY id ORDER BY id DESC LIMIT $6`;

// One digest for all keys of a person, and one for the keys of all services, which goes to the administrators. A warning
// is mailed again after 90 days: a warning that ends cannot come back earlier.
const DUE = `
  WITH digests AS (
    SELECT id AS owner_id, CASE kind WHEN 'user' THEN id::text ELSE 'services' END AS digest FROM subjects),
  found AS (
    SELECT w.*, d.digest
    FROM (${WARNINGS} UNION ALL ${EXPIRING}) w JOIN digests d ON d.owner_id = w.owner_id
      LEFT JOIN api_key_warning_mails m ON m.api_key_id = w.id AND m.warning = w.warning
    WHERE m.mailed_at IS NULL OR m.mailed_at <= $2),
  told AS (
    SELECT d.digest FROM api_key_warning_mails m JOIN api_keys k ON k.id = m.api_key_id
      JOIN digests d ON d.owner_id = k.owner_id
    WHERE m.mailed_at > $4),
  due AS (
    SELECT f.* FROM found f WHERE f.digest IN (
      SELECT DISTINCT digest FROM found WHERE digest NOT IN (SELECT digest FROM told) ORDER BY digest LIMIT $3)),
  mailed AS (
    INSERT INTO api_key_warning_mails (api_key_id, warning, mailed_at) SELECT id, warning, $1 FROM due
    ON CONFLICT (api_key_id, warning) DO UPDATE SET mailed_at = excluded.mailed_at)
  SELECT owner_id AS "ownerId", digest, id AS "keyId", prefix, last4, name, warning FROM due
  ORDER BY digest, id, warning`;

const FINDINGS: Record<string, string> = {
  'never-expires': 'never expires',
  'not-rotated': 'was not rotated for 90 days',
  unused: 'was not used for 90 days',
  'expires-soon': 'expires within 14 days',
};

export interface KeyWarnings {
  /** The id of the key. */
  readonly id: string;
  readonly warnings: string[];
}

/** Lists and mails the warnings about keys. */
@Injectable()
export class Warnings {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly notices: ApiKeyNotices,
    private readonly clock: Clock,
  ) {}

  /** Returns up to `limit + 1` keys of an owner with warnings, newest first. */
  of(ownerId: string, { after, limit }: PageQuery): Promise<KeyWarnings[]> {
    const now = this.clock.now();
    return this.dataSource.query(OF_OWNER, [
      now,
      before(now, AGED_MS),
      ownerId,
      before(now, UNUSUAL_MS),
      after,
      limit + 1,
    ]);
  }

  /**
   * Mails warnings that were not mailed in the last 90 days. Each run sends at most DIGESTS_PER_ROUND digests, and each
   * recipient gets at most one per day. Returns the number of digests.
   */
  async mail(now: Date, manager: EntityManager): Promise<number> {
    const due: (Omit<KeyFindings, 'finding'> & { warning: string })[] = await manager.query(DUE, [
      now,
      before(now, AGED_MS),
      DIGESTS_PER_ROUND,
      before(now, DAY_MS),
      before(now, -EXPIRES_SOON_MS),
    ]);
    const mails = [
      ...mailAbout(
        due.map((one) => ({ ...one, finding: FINDINGS[one.warning]! })),
        ADVICE,
      ),
    ];
    for (const [ownerId, text] of mails) await this.notices.add(manager, ownerId, SUBJECT, text);
    return mails.length;
  }
}

const before = (now: Date, ms: number) => new Date(now.getTime() - ms);
