import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';
import { SignInsService } from '../../accounts/sign-ins/sign-ins.service.js';

const SUBJECT = 'You were signed out for your safety';
const TEXT = `A token of one of your sign-ins was used twice. This can mean that somebody
has copied it, so this sign-in has ended.

Please sign in again. If this happens again, or if you do not know the
reason, change your password.
`;

/** The answer to a reused refresh token: two clients have it, so one of them can be a thief (RFC 9700 section 4.14.2). */
@Injectable()
export class RefreshReuse {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly signIns: SignInsService,
    private readonly mails: MailQueue,
    private readonly log: SecurityLog,
  ) {}

  /** Ends the family for all its clients and mails the person. It commits although the answer is an error. */
  async stop(family: { id: string; userId: string; email: string }): Promise<void> {
    this.log.refused('refresh-token.reused', { userId: family.userId, credentialId: family.id });
    const ended = await this.signIns.end(family.userId, family.id, 'refresh token reused');
    // Only one of several parallel replays ends it, so the person gets one mail.
    if (!ended) return;
    const mail = { to: family.email, subject: SUBJECT, text: TEXT };
    await this.dataSource.transaction((manager) => this.mails.add(manager, [mail]));
  }
}
