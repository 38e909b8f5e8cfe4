import { Injectable } from '@nestjs/common';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { MailService } from '../../platform/mail/mail.service.js';
import { SignInsService } from '../../accounts/sign-ins/sign-ins.service.js';

const SUBJECT = 'You were signed out for your safety';
const TEXT = `A token that keeps you signed in was used a second time. That happens when
somebody has copied it, so the sign-in that it belongs to has ended.

Sign in again. If you see this more than once, or do not know why it could
have happened, change your password.
`;

/** A refresh token came back that was used before: two hold it, and one of them stole it (RFC 9700 4.14.2). */
@Injectable()
export class RefreshReuse {
  constructor(
    private readonly signIns: SignInsService,
    private readonly mail: MailService,
    private readonly log: SecurityLog,
  ) {}

  /** Ends the family, for the thief and the person alike, and tells the person. Committed although the answer is an error. */
  async stop(family: { id: string; userId: string; email: string }): Promise<void> {
    this.log.refused('refresh-token.reused', { userId: family.userId, credentialId: family.id });
    const ended = await this.signIns.end(family.userId, family.id, 'refresh token reused');
    // Of several replays at once, one ends it: one mail.
    if (ended) await this.mail.send({ to: family.email, subject: SUBJECT, text: TEXT });
  }
}
