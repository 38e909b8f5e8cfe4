import { z } from 'zod';
import { isRemembered, type RevocationKind } from './revocation.entity.js';

/** About 25 MB. It is reached with 100 revocations per second for 16 minutes. */
const LIMIT = 100_000;
/** The longest lifetime of an access token (15 minutes), and one minute for clock differences. */
export const KEPT_MS = 16 * 60_000;

/** A revocation in a notification: kind, subject, milliseconds of `since`. */
export type WireRevocation = readonly [RevocationKind, string, number | null];

/** Unknown kinds of a newer version are accepted and ignored. */
const announcement = z.array(
  z.tuple([z.string() as z.ZodType<RevocationKind>, z.string(), z.number().nullable()]),
);

/** @throws if the text is not an announcement */
export const readAnnouncement = (text: string): WireRevocation[] => announcement.parse(JSON.parse(text));

interface Entry {
  /** In milliseconds. Infinity revokes everything. */
  readonly since: number;
  readonly expiresAt: number;
}

/**
 * The living revocations in memory, with one entry per subject. Expiry times are on the monotonic clock.
 */
export class RevokedMemory {
  readonly #entries = new Map<string, Entry>();
  /** When the last missing revocation expires. */
  #incompleteUntil = -Infinity;

  constructor(readonly limit = LIMIT) {}

  get size(): number {
    return this.#entries.size;
  }

  /** Whether all living revocations are here. If not, a subject without an entry can still be revoked. */
  isComplete(now: number): boolean {
    return now >= this.#incompleteUntil;
  }

  /** Notes that revocations are missing, and that they expire by this time. */
  miss(expiresAt: number): void {
    this.#incompleteUntil = Math.max(this.#incompleteUntil, expiresAt);
  }

  /** Ignores kinds that are not kept in memory. */
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

  /** See `RevocationFeed.revokedUntil`. */
  revokedUntil(kind: RevocationKind, subject: string): number {
    return this.#entries.get(`${kind} ${subject}`)?.since ?? -Infinity;
  }

  purge(now: number): void {
    for (const [key, entry] of this.#entries) if (entry.expiresAt <= now) this.#entries.delete(key);
  }
}
