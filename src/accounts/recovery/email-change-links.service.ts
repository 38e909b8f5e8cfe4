import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, IsNull, Not } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Principal } from '../../auth/principal.js';
import { Clock } from '../../platform/clock/clock.js';
import { Secret, sha256 } from '../../platform/crypto/secret.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { MailKinds, type QueuedRequest } from '../../platform/mail/mail-kinds.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';
import type { Mail } from '../../platform/mail/mail.service.js';
import { RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import { ValidationError } from '../../web/http/validation.js';
import { ActingSignIn } from '../sign-ins/acting-sign-in.js';
import { User } from '../users/user.entity.js';
import { VerifyPageController } from '../users/verify-page.controller.js';
import { EmailChange, EmailChangeLink } from './email-change.entity.js';
import { ADDRESS_IN_USE, CHANGED, CONFIRM } from './email-change.mails.js';
import type { EmailChangeRequest } from './recovery.schemas.js';
import { UndoPageController } from './undo-page.controller.js';
import { PageLinks } from '../users/page-links.js';

const CONFIRM_MAIL = 'email-change';
/** Kind of the mail to the old address. */
export const UNDO_MAIL = 'email-change-undo';
const HOUR_MS = 3_600_000;
const LIFETIME_MS = { confirm: 24 * HOUR_MS, undo: 72 * HOUR_MS };
/** Changes that a person can request in an hour, since each mails an address that may not be theirs. */
const REQUESTED = { requests: 5, windowSeconds: 3600 };

/** Requests to change the address of an account, and the links that confirm or undo a change. */
@Injectable()
export class EmailChangeLinksService implements OnModuleInit {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly acting: ActingSignIn,
    private readonly mails: MailQueue,
    private readonly kinds: MailKinds,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
    private readonly links: PageLinks,
    private readonly log: SecurityLog,
  ) {}

  onModuleInit(): void {
    this.kinds.register(CONFIRM_MAIL, (manager, request) => this.#writeConfirm(manager, request));
    this.kinds.register(UNDO_MAIL, (manager, request) => this.#writeUndo(manager, request));
  }

  /**
   * Mails a link to the new address. The answer does not tell whether another account has the address: the mail does.
   * @throws RateLimitedError
   * @throws ValidationError if the account has this address already
   */
  async request(by: Principal, { email }: EmailChangeRequest): Promise<void> {
    await this.limiter.consume('email-changes', by.userId, REQUESTED);
    const id = uuidv7();
    await this.dataSource.transaction(async (manager) => {
      await this.acting.lock(manager, by, ['account:security']);
      const user = await manager.findOneByOrFail(User, { id: by.userId });
      if (user.email === email)
        throw new ValidationError([{ pointer: '/email', detail: 'must be another address' }]);
      await manager.insert(EmailChange, {
        id,
        userId: user.id,
        signInId: by.signInId,
        passwordDigest: sha256(user.passwordHash),
        oldEmail: user.email,
        newEmail: email,
        requestedAt: this.clock.now(),
      });
      await this.mails.add(manager, [{ to: email, kind: CONFIRM_MAIL, about: id }]);
      const facts = { userId: by.userId, credentialId: by.signInId };
      await this.log.record(manager, 'email-change.requested', facts);
    });
  }

  async #writeConfirm(manager: EntityManager, { to, about }: QueuedRequest): Promise<Mail | undefined> {
    const change = await manager.findOneBy(EmailChange, { id: about!, confirmedAt: IsNull() });
    if (!change) return undefined;
    if (await manager.existsBy(User, { email: to })) return { to, ...ADDRESS_IN_USE };
    const token = await this.#token(manager, change.id, 'confirm');
    return { to, ...CONFIRM(this.links.to(VerifyPageController, token)) };
  }

  async #writeUndo(manager: EntityManager, { to, about }: QueuedRequest): Promise<Mail | undefined> {
    const change = await manager.findOneBy(EmailChange, { id: about!, confirmedAt: Not(IsNull()) });
    if (!change) return undefined;
    const token = await this.#token(manager, change.id, 'undo');
    return { to, ...CHANGED(this.links.to(UndoPageController, token)) };
  }

  /** Stores the token of a link. */
  async #token(
    manager: EntityManager,
    emailChangeId: string,
    purpose: EmailChangeLink['purpose'],
  ): Promise<Secret> {
    const token = Secret.random();
    const expiresAt = this.clock.in(LIFETIME_MS[purpose]);
    await manager.insert(EmailChangeLink, { tokenHash: token.hash(), emailChangeId, purpose, expiresAt });
    return token;
  }
}
