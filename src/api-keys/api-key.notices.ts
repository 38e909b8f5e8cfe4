import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { MailService } from '../mail/mail.service.js';

/** Longer names are cut: a line of a mail has 76 characters. */
const SHOWN_NAME = 40;

interface NamedKey {
  readonly prefix: string;
  readonly last4: string;
  readonly name: string;
}

/** How a mail names a key: by what its owner knows it by, in one line, whatever the name holds. */
export const describeKey = ({ prefix, last4, name }: NamedKey): string =>
  `${prefix}...${last4} ${JSON.stringify(Array.from(name).slice(0, SHOWN_NAME).join(''))}`;

/** Mails about keys. */
@Injectable()
export class ApiKeyNotices {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly mail: MailService,
  ) {}

  /** Mails to the person whose key it is, or, since nobody reads a service's mail, to every administrator. */
  async send(ownerId: string, subject: string, text: string): Promise<void> {
    const recipients: { email: string }[] = await this.dataSource.query(
      `SELECT email FROM users WHERE id = $1
       UNION ALL
       SELECT email FROM users
       WHERE 'admin' = ANY (roles) AND status = 'active' AND EXISTS (SELECT FROM service_accounts WHERE id = $1)`,
      [ownerId],
    );
    await Promise.all(recipients.map(({ email }) => this.mail.send({ to: email, subject, text })));
  }
}
