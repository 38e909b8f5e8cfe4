import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ApiKeyNotices } from './api-key.notices.js';
import { HousekeepingService } from '../../platform/housekeeping/housekeeping.service.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import type { AnomalyKind } from './api-key-alerts.entity.js';
import { type KeyFindings, mailAbout } from './mail-about-keys.js';

/** Nobody reads more mails than that, and a thief may come from a thousand networks. */
const MAIL_INTERVAL_MS = 3_600_000;
export const MAIL_TASK = 'api-key-anomaly-mails';
const SUBJECT = 'Unusual use of your API keys';
const ADVICE = `If that was you, there is nothing to do. If it was not, somebody else has
the key: delete it, or rotate it and delete the old one.`;

export interface Anomaly {
  readonly keyId: string;
  readonly kind: AnomalyKind;
  /** A network, or an hour. */
  readonly about: string;
  readonly observed?: string | null;
  readonly usual?: string | null;
}

// By one node at a time, as all housekeeping: of two that look at the same time, both would find the hour free.
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

/** Says what is unusual about the use of a key: at once in the log, and to its owner by mail, once an hour at most. */
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

  /** Does not wait for the next round of the housekeeping. Never rejects. */
  mailNow(): Promise<void> {
    return this.housekeeping.runNow(MAIL_TASK);
  }

  /** Mails what was not mailed yet. Returns how many anomalies that were. */
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
  return `${observed} ${what} in the hour of ${about}, ${usual} at most before`;
}
