import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { ApiKeyNotices } from './api-key.notices.js';
import { Clock } from '../../platform/clock/clock.js';
import type { PageQuery } from '../../web/pagination/page.js';
import { type KeyFindings, mailAbout } from './mail-about-keys.js';

const DAY_MS = 86_400_000;
const AGED_MS = 90 * DAY_MS;
/** For so long a key that was used in an unusual way says so. */
const UNUSUAL_MS = 7 * DAY_MS;
/** 100 in five minutes: a first round after an upgrade may find every owner of a key. */
const DIGESTS_PER_ROUND = 100;
const SUBJECT = 'Some of your API keys need attention';
const ADVICE = `Delete a key that nobody needs. Rotate one that is needed, so that a copy
which somebody made meanwhile ends, and let it expire.`;

/** The warnings about keys that have no successor. $1 is now, $2 is 90 days ago. */
const WARNINGS = `
  SELECT k.id, k.owner_id, k.prefix, k.last4, k.name, w.warning
  FROM api_keys k CROSS JOIN LATERAL (VALUES
      ('never-expires', k.expires_at IS NULL),
      ('not-rotated', k.created_at <= $2),
      ('unused', coalesce(k.last_used_at, k.created_at) <= $2)) AS w (warning, holds)
  WHERE w.holds AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $1)
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

// One digest for all keys of a person, and one for those of all services, which go to the administrators. What comes about
// again does so after 90 days, so that to say it again after 90 days keeps nothing back.
const DUE = `
  WITH digests AS (
    SELECT id AS owner_id, CASE kind WHEN 'user' THEN id::text ELSE 'services' END AS digest FROM subjects),
  found AS (
    SELECT w.*, d.digest
    FROM (${WARNINGS}) w JOIN digests d ON d.owner_id = w.owner_id
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
};

export interface KeyWarnings {
  /** The key's. */
  readonly id: string;
  readonly warnings: string[];
}

/** What the owner of keys should look at: in a list, and by mail. */
@Injectable()
export class Warnings {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly notices: ApiKeyNotices,
    private readonly clock: Clock,
  ) {}

  /** The keys of an owner that have warnings, newest first: up to `limit + 1` of them. */
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
   * Mails what was not mailed in the last 90 days: a few digests in each round of the housekeeping, however many are due,
   * and no second one within a day. Returns how many digests that were.
   */
  async mail(now: Date, manager: EntityManager): Promise<number> {
    const due: (Omit<KeyFindings, 'finding'> & { warning: string })[] = await manager.query(DUE, [
      now,
      before(now, AGED_MS),
      DIGESTS_PER_ROUND,
      before(now, DAY_MS),
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
