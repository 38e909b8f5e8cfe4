const DAY_MS = 86_400_000;

/** Returns a fault for each pair whose first lifetime is longer than the second. */
export const contradictions = <Name extends string>(
  values: Readonly<Record<Name, number>>,
  pairs: readonly (readonly [short: Name, long: Name])[],
): string[] =>
  pairs
    .filter(([short, long]) => values[short] > values[long])
    .map(([short, long]) => `${short}: must not be longer than ${long}`);

/** Returns a warning if a lifetime is longer than recommended (ASVS 7.3.2). */
export const longerThan = (days: number, name: string, ms: number): string[] =>
  ms > days * DAY_MS
    ? [`${name} is longer than ${days} days. A stolen credential works until it expires.`]
    : [];
