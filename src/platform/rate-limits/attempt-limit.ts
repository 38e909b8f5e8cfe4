/** How many attempts a subject has in a window. */
export interface AttemptLimit {
  /** In lower case with hyphens, for the log and for `RateLimit-Policy`. */
  readonly name: string;
  readonly attempts: number;
  /** The window starts with the first attempt. */
  readonly windowSeconds: number;
  /**
   * After `attempts`, each further attempt must wait. The first wait is `firstSeconds`, and each one is twice as long as the
   * one before, up to `longestSeconds`. Without it, the next attempt must wait until the window ends.
   */
  readonly waits?: { readonly firstSeconds: number; readonly longestSeconds: number };
}

const declared = new Map<string, AttemptLimit>();

/** Declares what a room limits, beside the code that counts it. @throws if the name is already declared */
export function defineAttemptLimit(limit: AttemptLimit): AttemptLimit {
  if (declared.has(limit.name)) throw new Error(`the limit "${limit.name}" is declared twice`);
  declared.set(limit.name, limit);
  return limit;
}

/** The declared limits of all loaded rooms. */
export const allAttemptLimits = (): AttemptLimit[] => [...declared.values()];
