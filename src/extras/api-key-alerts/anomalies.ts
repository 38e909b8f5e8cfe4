import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import type { AnomalyKind } from './api-key-alerts.entity.js';
import { ApiKeyNotices, type KeyFindings, mailAbout } from './api-key.notices.js';

/** At most one mail per owner in this time, because a thief can use a key from many networks. */
const MAIL_INTERVAL_MS = 3_600_000;
export const MAIL_TASK = 'api-key-anomaly-mails';
const SUBJECT = 'Unusual use of your API keys';
const ADVICE = `If this was you, ignore this mail. If it was not you, somebody else has
the key: delete it, or rotate it and delete the old one.`;

export interface Anomaly {
  readonly keyId: string;
  readonly kind: AnomalyKind;
  /** A network, or an hour. */
  readonly about: string;
  readonly observed?: string | null;
  readonly usual?: string | null;
}

// Housekeeping runs on one node at a time. Two parallel runs would both find that no mail was sent in the last hour.
const CLAIM = `
  WITH due AS (
    SELECT a.lineage_id, a.kind, a.about, k.owner_id, k.prefix, k.last4, k.name
    FROM api_key_anomalies a JOIN api_keys k ON k.id = a.api_key_id
    WHERE a.mailed_at IS NULL AND NOT EXISTS (
      SELECT FROM api_keys o JOIN api_key_anomalies m ON m.lineage_id = o.lineage_id
      WHERE o.owner_id = k.owner_id AND m.mailed_at > $2)
    ORDER BY k.owner_id, a.lineage_id LIMIT $3 FOR UPDATE OF a SKIP LOCKED)
  UPDATE api_key_anomalies a SET mailed_at = $1 FROM due
  WHERE (a.lineage_id, a.kind, a.about) = (due.lineage_id, due.kind, due.about)
  RETURNING due.owner_id AS "ownerId", a.api_key_id AS "keyId", due.prefix, due.last4, due.name,
    a.kind, a.about, a.observed, a.usual`;

/** Reports unusual use of keys: at once in the log, and by mail to the owner at most once per hour. */
@Injectable()
export class Anomalies {
  constructor(
    private readonly notices: ApiKeyNotices,
    private readonly housekeeping: HousekeepingService,
    private readonly securityLog: SecurityLog,
  ) {}

  log(anomalies: readonly Anomaly[]): void {
    for (const { keyId, kind, about, observed, usual } of anomalies)
      this.securityLog.noticed('api-key.unusual-use', {
        credentialId: keyId,
        kind,
        about,
        ...(observed != null && { observed: Number(observed), usual: Number(usual) }),
      });
  }

  /** Sends mails now and not in the next run of the housekeeping. Never rejects. */
  mailNow(): Promise<void> {
    return this.housekeeping.runNow(MAIL_TASK);
  }

  /** Mails new anomalies. Returns their number. */
  async mail(now: Date, limit: number, manager: EntityManager): Promise<number> {
    const [found]: [(Anomaly & Omit<KeyFindings, 'finding' | 'digest'>)[]] = await manager.query(CLAIM, [
      now,
      new Date(now.getTime() - MAIL_INTERVAL_MS),
      limit,
    ]);
    const findings = found.map((anomaly) => ({
      ...anomaly,
      digest: anomaly.ownerId,
      finding: describe(anomaly),
    }));
    for (const [ownerId, text] of mailAbout(findings, ADVICE))
      await this.notices.add(manager, ownerId, SUBJECT, text);
    return found.length;
  }
}

function describe({ kind, about, observed, usual }: Anomaly): string {
  if (kind === 'new-network') return `used from a new network: ${about}`;
  const what = kind === 'volume-spike' ? 'requests' : 'refusals';
  return `${observed} ${what} in the hour of ${about}, at most ${usual} per hour before`;
}
