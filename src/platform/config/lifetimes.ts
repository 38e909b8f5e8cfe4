const DAY_MS = 86_400_000;

/** A fault for each pair in which the first lifetime is longer than the second. */
export const contradictions = <Name extends string>(
  values: Readonly<Record<Name, number>>,
  pairs: readonly (readonly [short: Name, long: Name])[],
): string[] =>
  pairs
    .filter(([short, long]) => values[short] > values[long])
    .map(([short, long]) => `${short}: must not be longer than ${long}`);

/** A warning if the lifetime of a credential is longer than advised: what is too long depends on the application (ASVS 7.3.2). */
export const longerThan = (days: number, name: string, ms: number): string[] =>
  ms > days * DAY_MS
    ? [`${name} is longer than ${days} days. A stolen credential works until it expires.`]
    : [];
