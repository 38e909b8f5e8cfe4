import { describeKey } from './api-key.notices.js';

/** What a mail says about each key. */
const MAX_FINDINGS = 20;
/** Keys in one mail. */
const MAX_KEYS = 100;

export interface KeyFindings {
  readonly ownerId: string;
  /** Whose mail it stands in. */
  readonly digest: string;
  readonly keyId: string;
  readonly prefix: string;
  readonly last4: string;
  readonly name: string;
  /** One line. */
  readonly finding: string;
}

/** One mail for each digest, with what was found about each key. Yields an owner of the keys, and the text. */
export function* mailAbout(
  findings: readonly KeyFindings[],
  advice: string,
): Generator<[ownerId: string, text: string]> {
  for (const ofDigest of groupBy(findings, ({ digest }) => digest).values()) {
    const keys = [...groupBy(ofDigest, ({ keyId }) => keyId).values()];
    const shown = keys.slice(0, MAX_KEYS).map(describe);
    if (keys.length > MAX_KEYS) shown.push(`and ${keys.length - MAX_KEYS} more keys\n`);
    yield [ofDigest[0]!.ownerId, `${shown.join('\n')}\n${advice}\n`];
  }
}

function describe(findings: readonly KeyFindings[]): string {
  const lines = findings.map(({ finding }) => `  ${finding}\n`).toSorted();
  const more = lines.length - MAX_FINDINGS;
  return [
    `${describeKey(findings[0]!)}\n`,
    ...lines.slice(0, MAX_FINDINGS),
    ...(more > 0 ? [`  and ${more} more\n`] : []),
  ].join('');
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
