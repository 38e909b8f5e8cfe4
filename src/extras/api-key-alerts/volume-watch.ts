import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AfterCommit } from '../../platform/database/after-commit.js';
import { Anomalies, type Anomaly } from './anomalies.js';

const HOUR_MS = 3_600_000;
/** The usual count of a lineage is that of its busiest hour in this time. */
const HISTORY_MS = 28 * 24 * HOUR_MS;
/** A lineage has no usual number of requests in its first day. After that, no requests count as usual too. */
const SETTLED_MS = 24 * HOUR_MS;
/** An anomaly has at least this many times the usual count. */
const FACTOR = 5;
/** Per hour. Lower counts are never anomalies. */
const MIN_REQUESTS = 500;
const MIN_REFUSALS = 100;

// By lineage, so that a rotated key keeps the history of its predecessor. The hour before the current one is included,
// because it can have ended after the previous run.
const FIND = `
  WITH busy AS (
    SELECT k.lineage_id, u.hour, (array_agg(k.id ORDER BY k.id DESC))[1] AS api_key_id,
      sum(u.requests) AS requests, sum(u.refusals) AS refusals
    FROM api_key_usage u JOIN api_keys k ON k.id = u.api_key_id
    WHERE u.hour > $2 AND u.hour <= $1
    GROUP BY k.lineage_id, u.hour
    HAVING sum(u.requests) >= $5 OR sum(u.refusals) >= $6),
  compared AS (
    SELECT b.lineage_id, b.api_key_id, to_char(b.hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') AS about, b.requests, b.refusals,
      coalesce(h.requests, 0) AS usual_requests, coalesce(h.refusals, 0) AS usual_refusals,
      f.created_at <= b.hour - $4::interval AS settled
    FROM busy b JOIN api_keys f ON f.id = b.lineage_id CROSS JOIN LATERAL (
      SELECT max(one.requests) AS requests, max(one.refusals) AS refusals
      FROM (
        SELECT u.hour, sum(u.requests) AS requests, sum(u.refusals) AS refusals
        FROM api_keys k JOIN api_key_usage u ON u.api_key_id = k.id
        WHERE k.lineage_id = b.lineage_id AND u.hour >= $3 AND u.hour < b.hour
        GROUP BY u.hour) one) h),
  found AS (
    SELECT lineage_id, api_key_id, 'volume-spike' AS kind, about, requests AS observed, usual_requests AS usual FROM compared
    WHERE settled AND requests >= $5 AND requests >= usual_requests * $7::int
    UNION ALL
    SELECT lineage_id, api_key_id, 'refusal-burst', about, refusals, usual_refusals FROM compared
    WHERE refusals >= $6 AND refusals >= usual_refusals * $7::int)
  INSERT INTO api_key_anomalies (lineage_id, api_key_id, kind, about, observed, usual, noticed_at)
  SELECT lineage_id, api_key_id, kind, about, observed, usual, $1 FROM found
  ON CONFLICT DO NOTHING
  RETURNING api_key_id AS "keyId", kind, about, observed, usual`;

/** Compares the requests and refusals of keys with their usual counts. */
@Injectable()
export class VolumeWatch {
  constructor(
    private readonly anomalies: Anomalies,
    private readonly afterCommit: AfterCommit,
  ) {}

  /** Checks the current hour and the one before. Returns the number of new anomalies. */
  async look(now: Date, manager: EntityManager): Promise<number> {
    const found: Anomaly[] = await manager.query(FIND, [
      now,
      new Date(now.getTime() - 2 * HOUR_MS),
      new Date(now.getTime() - HISTORY_MS),
      `${SETTLED_MS} milliseconds`,
      MIN_REQUESTS,
      MIN_REFUSALS,
      FACTOR,
    ]);
    this.afterCommit.run(manager, () => this.anomalies.log(found));
    return found.length;
  }
}
