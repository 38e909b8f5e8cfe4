import type { ListeningConnection } from './listening-connection.js';
import { rememberedKinds, type RevocationKind } from './revocation.entity.js';
import type { WireRevocation } from './revoked-memory.js';

/** This query can take long. */
const LIMIT_MS = 30_000;

// One row per subject, and one row for an account with too many revocations. One row more than fits in memory shows that
// some are missing. It expires after all other missing rows.
const LOAD = `
  SELECT kind, subject, since, (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS "keptMs"
  FROM (
    SELECT kind, subject, CASE WHEN bool_or(since IS NULL) THEN NULL ELSE max(since) END AS since,
      max(expires_at) AS expires_at
    FROM revocations WHERE expires_at > now() AND kind = ANY($1) AND NOT merged GROUP BY kind, subject
    UNION ALL
    SELECT 'user', account, NULL, max(expires_at) FROM revocations WHERE expires_at > now() AND merged GROUP BY account
  ) loaded ORDER BY expires_at DESC LIMIT $2`;

interface Loaded {
  readonly kind: RevocationKind;
  readonly subject: string;
  readonly since: Date | null;
  readonly keptMs: number;
}

/** Loads the living revocations with their remaining milliseconds: at most `limit`, or one more if some are missing. */
export async function loadRevocations(
  connection: ListeningConnection,
  limit: number,
): Promise<(readonly [WireRevocation, keptMs: number])[]> {
  const rows = await connection.query<Loaded>(LOAD, [rememberedKinds(), limit + 1], LIMIT_MS);
  return rows.map(({ kind, subject, since, keptMs }) => [[kind, subject, since?.getTime() ?? null], keptMs]);
}
