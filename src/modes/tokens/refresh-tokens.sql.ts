import { LIVE_SIGN_IN_COLUMNS } from '../../accounts/sign-ins/live-sign-in.js';

const FAMILY_COLUMNS = `${LIVE_SIGN_IN_COLUMNS}, g.client_id AS "clientId", g.scopes, g.audience, g.refresh_in AS "refreshIn",
  g.format`;
const FAMILY_OF_TOKEN = `refresh_tokens t JOIN token_grants g ON g.sign_in_id = t.sign_in_id
  JOIN sign_ins s ON s.id = g.sign_in_id JOIN users u ON u.id = s.user_id`;

/**
 * Uses a token and creates its successor, or returns no row and changes nothing.
 * $1 hash of the token, $2 now, $3 sealed successor, $4 idle expiry of the successor, $5 id of the successor,
 * $6 hash of the successor, $7 where the token was presented.
 *
 * One statement, because a rotation that reads and then writes can fork a family. Parallel statements wait for the row of
 * the sign-in. After the first has committed, the UPDATE of the others checks the current row (READ COMMITTED) and finds
 * the token used. Locks are taken in the order users, sign_ins, refresh_tokens.
 */
export const ROTATE = `
  WITH family AS (
    SELECT ${FAMILY_COLUMNS} FROM ${FAMILY_OF_TOKEN}
    WHERE t.token_hash = $1 AND g.refresh_in = $7 AND t.used_at IS NULL AND t.expires_at > $2::timestamptz AND u.status = 'active'
      AND s.ended_at IS NULL AND s.expires_at > $2 AND s.idle_expires_at > $2
    FOR NO KEY UPDATE OF s
  ), used AS (
    UPDATE refresh_tokens t SET used_at = $2, successor_sealed = $3 FROM family
    WHERE t.token_hash = $1 AND t.used_at IS NULL RETURNING t.id, t.predecessor_id
  ), settled AS (
    UPDATE refresh_tokens p SET successor_sealed = NULL FROM used WHERE p.id = used.predecessor_id
  ), seen AS (
    UPDATE sign_ins s SET last_seen_at = $2, idle_expires_at = least($4::timestamptz, s.expires_at)
    FROM family, used WHERE s.id = family.id
  ), successor AS (
    INSERT INTO refresh_tokens (id, sign_in_id, token_hash, predecessor_id, created_at, expires_at)
    SELECT $5, family.id, $6, used.id, $2, least($4, family."expiresAt") FROM family, used RETURNING expires_at
  )
  SELECT family.*, successor.expires_at AS "refreshExpiresAt" FROM family, successor`;

/** Explains why ROTATE returned no row. $1 hash of the token. `n` is the unused successor. */
export const CLASSIFY = `
  SELECT ${FAMILY_COLUMNS}, u.email, t.used_at AS "usedAt", t.successor_sealed AS "successorSealed",
    n.expires_at AS "refreshExpiresAt"
  FROM ${FAMILY_OF_TOKEN}
  LEFT JOIN refresh_tokens n ON n.sign_in_id = t.sign_in_id AND n.used_at IS NULL AND n.predecessor_id = t.id
  WHERE t.token_hash = $1`;

/** Finds a token with the grant of its family. $1 hash of the token. */
export const FIND = `
  SELECT ${FAMILY_COLUMNS}, t.used_at AS "usedAt", t.created_at AS "createdAt", t.expires_at AS "refreshExpiresAt"
  FROM ${FAMILY_OF_TOKEN} WHERE t.token_hash = $1`;
