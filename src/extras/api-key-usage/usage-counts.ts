const HOUR_MS = 3_600_000;
const CLASSES = 6;
/** Refusals because of the address, the scopes or the rate limit of a key. */
const REFUSALS = new Set([401, 403, 429]);

/** One row of a batch. */
export interface UsageCount {
  readonly apiKeyId: string;
  readonly hour: Date;
  /** For example, 4 for 400 to 499. */
  readonly statusClass: number;
  readonly requests: number;
  /** The number of refused requests. */
  readonly refusals: number;
}

interface HourCounts {
  readonly byClass: number[];
  refusals: number;
}

export const hourOf = (time: number): number => Math.floor(time / HOUR_MS) * HOUR_MS;

/** The counts of a node since its last batch. */
export class UsageCounts {
  readonly #byKey = new Map<string, Map<number, HourCounts>>();

  /** The number of keys. */
  get size(): number {
    return this.#byKey.size;
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  /** @param time in milliseconds @param status of the answer, 100 to 599 */
  add(apiKeyId: string, time: number, status: number): void {
    let hours = this.#byKey.get(apiKeyId);
    if (!hours) this.#byKey.set(apiKeyId, (hours = new Map()));
    const hour = hourOf(time);
    let counts = hours.get(hour);
    if (!counts) hours.set(hour, (counts = { byClass: Array<number>(CLASSES).fill(0), refusals: 0 }));
    counts.byClass[Math.floor(status / 100)]! += 1;
    if (REFUSALS.has(status)) counts.refusals += 1;
  }

  *rows(): Generator<UsageCount> {
    for (const [apiKeyId, hours] of this.#byKey)
      for (const [hour, { byClass, refusals }] of hours)
        for (const [statusClass, requests] of byClass.entries())
          if (requests > 0)
            yield {
              apiKeyId,
              hour: new Date(hour),
              statusClass,
              requests,
              refusals: statusClass === 4 ? refusals : 0,
            };
  }
}
