import { z } from 'zod';
import { isRemembered, type RevocationKind } from './revocation.entity.js';

/** An entry takes some 250 bytes: 25 MB. As many are revoked in 16 minutes where a hundred are revoked each second. */
const LIMIT = 100_000;
/** No access token lives longer than 15 minutes; the rest is for clocks that differ. */
export const KEPT_MS = 16 * 60_000;

/** How a revocation goes over the wire: kind, subject, milliseconds of `since`. */
export type WireRevocation = readonly [RevocationKind, string, number | null];

/** A kind that is not known here is of a newer version: nobody will ask for it. */
const announcement = z.array(
  z.tuple([z.string() as z.ZodType<RevocationKind>, z.string(), z.number().nullable()]),
);

/** @throws where the text is no announcement of revocations */
export const readAnnouncement = (text: string): WireRevocation[] => announcement.parse(JSON.parse(text));

interface Entry {
  /** Milliseconds; Infinity where everything is over, whenever it was issued. */
  readonly since: number;
  readonly expiresAt: number;
}

/**
 * The revocations that still matter, for a look-up without a query: one entry for each subject, however often it was
 * revoked. All times of expiry are on the monotonic clock.
 */
export class RevokedMemory {
  readonly #entries = new Map<string, Entry>();
  /** When the last of those expires that did not fit in. */
  #incompleteUntil = -Infinity;

  constructor(readonly limit = LIMIT) {}

  get size(): number {
    return this.#entries.size;
  }

  /** Whether all that matters at this time is here: otherwise, who is not in memory may be revoked all the same. */
  isComplete(now: number): boolean {
    return now >= this.#incompleteUntil;
  }

  /** Notes that there may be others, which expire then at the latest, and are not here. */
  miss(expiresAt: number): void {
    this.#incompleteUntil = Math.max(this.#incompleteUntil, expiresAt);
  }

  /** Kinds that nobody looks for take no room. */
  add([kind, subject, since]: WireRevocation, expiresAt: number): void {
    if (!isRemembered(kind)) return;
    const key = `${kind} ${subject}`;
    const before = this.#entries.get(key);
    if (!before && this.#entries.size >= this.limit) return this.miss(expiresAt);
    this.#entries.set(key, {
      since: Math.max(since ?? Infinity, before?.since ?? -Infinity),
      expiresAt: Math.max(expiresAt, before?.expiresAt ?? -Infinity),
    });
  }

  /** Up to when what names this subject is over: Infinity for all of it, -Infinity for none. */
  revokedUntil(kind: RevocationKind, subject: string): number {
    return this.#entries.get(`${kind} ${subject}`)?.since ?? -Infinity;
  }

  purge(now: number): void {
    for (const [key, entry] of this.#entries) if (entry.expiresAt <= now) this.#entries.delete(key);
  }
}
