const DAY_MS = 86_400_000;

/** In milliseconds. */
export interface Lifetimes {
  readonly ACCESS_TOKEN_TTL: number;
  readonly REFRESH_TOKEN_IDLE_TTL: number;
  readonly REFRESH_TOKEN_TTL: number;
  readonly REFRESH_REUSE_GRACE: number;
  readonly SESSION_IDLE_TTL: number;
  readonly SESSION_TTL: number;
}

/** Pairs in which the first must not be longer than the second. */
const ORDER: readonly (readonly [keyof Lifetimes, keyof Lifetimes])[] = [
  ['SESSION_IDLE_TTL', 'SESSION_TTL'],
  ['REFRESH_TOKEN_IDLE_TTL', 'REFRESH_TOKEN_TTL'],
  // Otherwise an access token outlives the sign-in that it belongs to.
  ['ACCESS_TOKEN_TTL', 'REFRESH_TOKEN_IDLE_TTL'],
  // Otherwise no replay of a refresh token is ever noticed.
  ['REFRESH_REUSE_GRACE', 'REFRESH_TOKEN_IDLE_TTL'],
];

/** Longer ones are allowed: how long is too long depends on the application (ASVS 7.3.2). */
const ADVISED: readonly (readonly [keyof Lifetimes, number])[] = [
  ['SESSION_TTL', 7],
  ['REFRESH_TOKEN_TTL', 30],
];

/** The lifetimes that contradict each other. */
export const contradictions = (lifetimes: Lifetimes): string[] =>
  ORDER.filter(([short, long]) => lifetimes[short] > lifetimes[long]).map(
    ([short, long]) => `${short}: must not be longer than ${long}`,
  );

/** The lifetimes that are usable, and longer than is advised. */
export const warnings = (lifetimes: Lifetimes): string[] =>
  ADVISED.filter(([name, days]) => lifetimes[name] > days * DAY_MS).map(
    ([name, days]) => `${name} is longer than ${days} days. A stolen credential works until it expires.`,
  );
