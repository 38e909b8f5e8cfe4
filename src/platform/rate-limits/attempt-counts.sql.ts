// $1 subject, $2 now, $3 attempts without waiting, $4 seconds of the window, $5 first wait, $6 longest wait, which can be null.
// `least` ignores null: without waits, the subject is blocked until its window ends.
const BLOCKED_UNTIL = `least(
    c.expires_at,
    c.counted_at + least($5 * 2 ^ least(c.attempts - $3, 30), $6::float8) * interval '1 second')`;
const IS_BLOCKED = `(c.attempts >= $3 AND ${BLOCKED_UNTIL} > $2)`;

/**
 * Counts an attempt, unless the subject is blocked. A blocked subject is only read. Returns no row if a parallel attempt
 * blocked the subject meanwhile.
 */
export const COUNT = `
  WITH blocked AS MATERIALIZED (
    SELECT c.attempts, ${BLOCKED_UNTIL} AS until FROM attempt_counts c WHERE c.subject = $1 AND ${IS_BLOCKED}),
  counted AS (
    INSERT INTO attempt_counts AS c (subject, attempts, counted_at, expires_at)
    SELECT $1, 1, $2, $2 + $4 * interval '1 second' WHERE NOT EXISTS (SELECT FROM blocked)
    ON CONFLICT (subject) DO UPDATE SET
      attempts = CASE WHEN c.expires_at <= $2 THEN 1 ELSE c.attempts + 1 END,
      counted_at = excluded.counted_at,
      expires_at = CASE WHEN c.expires_at <= $2 THEN excluded.expires_at ELSE c.expires_at END
    WHERE NOT ${IS_BLOCKED}
    RETURNING attempts, expires_at)
  SELECT attempts, expires_at AS until, true AS counted FROM counted
  UNION ALL SELECT attempts, until, false FROM blocked`;

/** $1 subjects, $2 now. Locks in the order of the subjects, so that two statements cannot deadlock. */
export const GIVE_BACK = `
  UPDATE attempt_counts SET attempts = attempts - 1
  WHERE subject IN (
    SELECT subject FROM attempt_counts WHERE subject = ANY($1::bytea[]) AND attempts > 0 AND expires_at > $2
    ORDER BY subject FOR NO KEY UPDATE)`;
