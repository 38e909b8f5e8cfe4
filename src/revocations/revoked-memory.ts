import type { RevocationKind } from './revocation.entity.js';

/** How a revocation goes over the wire: kind, subject, milliseconds of `since` and of the expiry. */
export type WireRevocation = readonly [RevocationKind, string, number | null, number];

interface Entry {
  /** Milliseconds; Infinity where everything is over, whenever it was issued. */
  readonly since: number;
  readonly expiresAt: number;
}

/** The revocations that still matter, for a look-up without a query. As large as what was revoked in 16 minutes. */
export class RevokedMemory {
  readonly #entries = new Map<string, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  add([kind, subject, since, expiresAt]: WireRevocation): void {
    const key = `${kind} ${subject}`;
    const before = this.#entries.get(key);
    this.#entries.set(key, {
      since: Math.max(since ?? Infinity, before?.since ?? -Infinity),
      expiresAt: Math.max(expiresAt, before?.expiresAt ?? 0),
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
