import { describeKey } from '../api-keys/api-key.notices.js';

/** What there is to say about each key in a mail. */
const MAX_FINDINGS = 20;

export interface KeyFindings {
  readonly ownerId: string;
  readonly keyId: string;
  readonly prefix: string;
  readonly last4: string;
  readonly name: string;
  /** One line. */
  readonly finding: string;
}

/** One mail for each owner, with what was found about each key. Yields the owner and the text. */
export function* mailAbout(
  findings: readonly KeyFindings[],
  advice: string,
): Generator<[ownerId: string, text: string]> {
  for (const [ownerId, ofOwner] of groupBy(findings, ({ ownerId }) => ownerId)) {
    const keys = [...groupBy(ofOwner, ({ keyId }) => keyId).values()].map(describe);
    yield [ownerId, `${keys.join('\n')}\n${advice}\n`];
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
