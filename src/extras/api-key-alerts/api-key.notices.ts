import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { MailQueue } from '../../platform/mail/mail-queue.js';

/** Longer names are cut: a line of a mail has 76 characters. */
const SHOWN_NAME = 40;
/** What would not be seen, or would begin a new line, or turn the direction of one. */
const UNSEEN = /[\p{C}\p{Z}]+/gu;

interface NamedKey {
  readonly prefix: string;
  readonly last4: string;
  readonly name: string;
}

/** How a mail names a key: by what its owner knows it by, in one line, whatever the name holds. */
export function describeKey({ prefix, last4, name }: NamedKey): string {
  const shown = Array.from(name.replaceAll(UNSEEN, ' ').trim()).slice(0, SHOWN_NAME).join('');
  return `${prefix}...${last4} "${shown}"`;
}

/** Mails about keys. */
@Injectable()
export class ApiKeyNotices {
  constructor(private readonly mails: MailQueue) {}

  /**
   * Mails to the person whose key it is, or, since nobody reads a service's mail, to every administrator; to nobody who
   * is disabled. In the transaction of `manager`: the mail leaves when that has committed.
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
