import type { AuditRow } from './audit-rows.js';

const MINUTE_MS = 60_000;
/** At most this many rows in a minute. Later addresses share one row for each reason. */
const MAX_ROWS = 5_000;
/** Later reasons share one row for each type. */
const MAX_ROWS_IN_ALL = 2 * MAX_ROWS;

type Count = { -readonly [Field in keyof AuditRow]: AuditRow[Field] };

/** Counts refusals by minute, reason, address and account, so that bad requests do not become writes. Its memory is bounded. */
export class RefusalCounts {
  #counts = new Map<string, Count>();

  add(row: AuditRow): void {
    const minute = Math.floor(row.at.getTime() / MINUTE_MS);
    const { problem, limit } = row.details;
    const what = `${minute} ${row.type} ${String(problem)} ${String(limit)} ${row.reason}`;
    const whole = `${what} ${row.ip} ${row.account} ${row.actor}`;
    if (this.#hasRoom(whole, MAX_ROWS)) this.#count(whole, row);
    else if (this.#hasRoom(what, MAX_ROWS_IN_ALL)) this.#count(what, { ...row, ...NOBODY });
    else this.#count(row.type, { ...row, ...NOBODY, reason: 'other', details: {} });
  }

  #hasRoom(key: string, limit: number): boolean {
    return this.#counts.size < limit || this.#counts.has(key);
  }

  #count(key: string, row: AuditRow): void {
    const known = this.#counts.get(key);
    if (known) known.requests += row.requests;
    else this.#counts.set(key, bare(row));
  }

  /** Removes and returns the rows of the minutes before the one of `now`. */
  takeBefore(now: Date): AuditRow[] {
    const minute = Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS;
    const over = [...this.#counts].filter(([, { at }]) => at.getTime() < minute);
    for (const [key] of over) this.#counts.delete(key);
    return over.map(([, row]) => row);
  }

  takeAll(): AuditRow[] {
    const all = [...this.#counts.values()];
    this.#counts.clear();
    return all;
  }
}

const NOBODY = { ip: undefined, account: undefined, actor: undefined };

/** A count is about requests, and names no credential. */
function bare(row: AuditRow): Count {
  const { problem, limit } = row.details;
  const details = { ...(problem !== undefined && { problem }), ...(limit !== undefined && { limit }) };
  return { ...row, mode: undefined, credentialId: undefined, userAgent: undefined, details };
}
