import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Secret, sha256, sha256Hex } from '../../platform/crypto/secret.js';
import { inFixedTime } from '../../platform/lookup/fixed-time.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { MailKinds, type QueuedRequest } from '../../platform/mail/mail-kinds.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';
import type { Mail } from '../../platform/mail/mail.service.js';
import { RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import { User } from '../users/user.entity.js';
import { PasswordReset } from './password-reset.entity.js';
import { ResetPageController } from './reset-page.controller.js';
import { PageLinks } from '../users/page-links.js';

/** Kind of the mail with the link. */
export const RESET_MAIL = 'password-reset';
/** ASVS 6.4.4 asks for at most 10 minutes. Mail can take longer than that. */
const LIFETIME_MS = 30 * 60_000;
/** Requested links per address and hour, from all clients together. */
const REQUESTED = { requests: 5, windowSeconds: 3600 };

/** Links that set a new password. */
@Injectable()
export class PasswordResetLinksService implements OnModuleInit {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly mails: MailQueue,
    private readonly kinds: MailKinds,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
    private readonly links: PageLinks,
    private readonly log: SecurityLog,
  ) {}

  onModuleInit(): void {
    this.kinds.register(RESET_MAIL, (manager, request) => this.#write(manager, request));
  }

  /**
   * Mails a link to the address if it has an account. The request does the same work for every address: only the queue
   * looks for the account (ASVS 6.3.8).
   */
  async request(email: string): Promise<void> {
    await inFixedTime(async () => {
      if (!(await this.limiter.allows('password-reset-mails', sha256Hex(email), REQUESTED))) return;
      await this.dataSource.transaction((manager) =>
        this.mails.add(manager, [{ to: email, kind: RESET_MAIL }]),
      );
    });
  }

  async #write(manager: EntityManager, { to, queuedAt }: QueuedRequest): Promise<Mail | undefined> {
    // A person who has waited this long has asked again, or given up.
    if (queuedAt <= this.clock.in(-LIFETIME_MS)) return undefined;
    // The lock keeps a parallel change of the address from missing this link when it deletes the others.
    const user = await manager.findOne(User, {
      where: { email: to, status: 'active' },
      lock: { mode: 'for_no_key_update' },
    });
    if (!user) return undefined;
    const token = Secret.random();
    const expiresAt = this.clock.in(LIFETIME_MS);
    await manager.insert(PasswordReset, {
      tokenHash: token.hash(),
      userId: user.id,
      passwordDigest: sha256(user.passwordHash),
      expiresAt,
    });
    await this.log.record(manager, 'password-reset.link-created', { userId: user.id });
    const link = this.links.to(ResetPageController, token);
    return { to, subject: 'Set a new password', text: textWith(link) };
  }
}

const textWith = (link: string) => `Somebody, probably you, asked to reset the password of your account.
Set a new password here:

${link}

The link works once and expires after 30 minutes. It also expires if the
password changes. A new password ends every sign-in of the account.

If you did not request this, ignore this mail. Nothing changes unless you
use the link.
`;
