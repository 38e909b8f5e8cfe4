import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { describeKey } from '../../modes/api-keys/describe-key.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';

/** Mails about keys. */
@Injectable()
export class ApiKeyNotices {
  constructor(private readonly mails: MailQueue) {}

  /**
   * Mails the owner of a key, or all administrators for a service account. Disabled users get no mail. The mail is sent
   * after the transaction of `manager` has committed.
   */
  async add(manager: EntityManager, ownerId: string, subject: string, text: string): Promise<void> {
    const recipients: { email: string }[] = await manager.query(
      `SELECT email FROM users WHERE id = $1 AND status = 'active'
       UNION ALL
       SELECT email FROM users WHERE 'admin' = ANY (roles) AND status = 'active'
         AND EXISTS (SELECT FROM subjects WHERE id = $1 AND kind = 'service-account')`,
      [ownerId],
    );
    await this.mails.add(
      manager,
      recipients.map(({ email }) => ({ to: email, subject, text })),
    );
  }
}

/** Findings per key in one mail. */
const MAX_FINDINGS = 20;
/** Keys per mail. */
const MAX_KEYS = 100;

export interface KeyFindings {
  readonly ownerId: string;
  /** Findings with the same digest are in the same mail. */
  readonly digest: string;
  readonly keyId: string;
  readonly prefix: string;
  readonly last4: string;
  readonly name: string;
  /** One line. */
  readonly finding: string;
}

/** Writes one mail per digest. Yields an owner of the keys, and the text. */
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
