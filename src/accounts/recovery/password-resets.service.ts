import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { isRandomSecret, sha256 } from '../../platform/crypto/secret.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';
import { KnownSources } from '../attempt-limits/known-sources.js';
import { SignInsService } from '../sign-ins/sign-ins.service.js';
import { AccountTakeover } from '../users/account-takeover.js';
import { EmailVerification } from '../users/email-verification.entity.js';
import { acceptPassword } from '../users/password-policy.js';
import { Registration } from '../users/registration.entity.js';
import { User } from '../users/user.entity.js';
import { InvalidOneTimeTokenError } from '../users/users.errors.js';
import { PasswordReset } from './password-reset.entity.js';
import type { PasswordResetBody } from './recovery.schemas.js';

/** Sets a new password with the token of a link. */
@Injectable()
export class PasswordResetsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly signIns: SignInsService,
    private readonly sources: KnownSources,
    private readonly takeover: AccountTakeover,
    private readonly hasher: PasswordHasher,
    private readonly mails: MailQueue,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
  ) {}

  /**
   * @throws InvalidOneTimeTokenError if the link is unknown, used or expired, or if the password has changed since
   * @throws ValidationError if the password is not accepted. The link still works then
   */
  async reset({ token, newPassword, revokeApiKeys }: PasswordResetBody): Promise<void> {
    if (!isRandomSecret(token)) throw this.#refuse('malformed');
    const tokenHash = sha256(token);
    const found = await this.dataSource.manager.findOne(PasswordReset, {
      where: { tokenHash },
      relations: { user: true },
    });
    if (!found) throw this.#refuse('unknown or used');
    if (found.expiresAt <= this.clock.now()) throw this.#refuse('expired', found.userId);
    const { userId, user } = found;
    const about = user.name === null ? [user.email] : [user.email, user.name];
    const passwordHash = await this.hasher.hash(acceptPassword(newPassword, '/newPassword', about));
    await this.dataSource.transaction(async (manager) => {
      const locked = await manager.findOne(User, {
        where: { id: userId, status: 'active' },
        lock: { mode: 'for_no_key_update' },
      });
      if (!locked) throw this.#refuse('user disabled or deleted', userId);
      await this.#use(manager, tokenHash, locked);
      await this.#setPassword(manager, locked, passwordHash, revokeApiKeys);
      // The owner can sign in at once, also while strangers block unknown sources.
      await this.sources.remember(manager, userId);
      await this.log.record(manager, 'password.reset', { userId, revokeApiKeys });
    });
  }

  /** Deletes all reset links of the user. Of two requests with one link, the second finds none. */
  async #use(manager: EntityManager, tokenHash: Buffer, user: User): Promise<void> {
    const [links]: [Pick<PasswordReset, 'tokenHash' | 'passwordDigest'>[]] = await manager.query(
      `DELETE FROM password_resets WHERE user_id = $1
       RETURNING token_hash AS "tokenHash", password_digest AS "passwordDigest"`,
      [user.id],
    );
    const used = links.find((link) => link.tokenHash.equals(tokenHash));
    if (!used) throw this.#refuse('used meanwhile', user.id);
    if (!used.passwordDigest.equals(sha256(user.passwordHash)))
      throw this.#refuse('password changed since', user.id);
  }

  async #setPassword(
    manager: EntityManager,
    user: User,
    passwordHash: string,
    revokeApiKeys: boolean,
  ): Promise<void> {
    const { id, email, emailVerifiedAt } = user;
    const now = this.clock.now();
    // The link was in a mail to this address, so it confirms the address too.
    await manager.update(
      User,
      { id },
      { passwordHash, emailVerifiedAt: emailVerifiedAt ?? now, unusedSince: null },
    );
    await this.signIns.endAll(manager, id, 'password reset');
    if (emailVerifiedAt === null) await this.#takeOver(manager, id);
    else if (revokeApiKeys) await this.takeover.endListed(manager, id);
    const kept = await this.takeover.list(manager, id);
    await this.mails.add(manager, [{ to: email, subject: 'Your password was reset', text: textAbout(kept) }]);
  }

  /** Nobody had shown that the address is theirs, so keys and factors may be another person's. */
  async #takeOver(manager: EntityManager, userId: string): Promise<void> {
    await this.takeover.end(manager, userId);
    await manager.delete(EmailVerification, { userId });
    await manager.delete(Registration, { userId });
  }

  #refuse(reason: string, userId?: string): InvalidOneTimeTokenError {
    this.log.refused('password-reset.refused', { reason, userId });
    return new InvalidOneTimeTokenError(reason);
  }
}

const textAbout = (
  kept: readonly string[],
) => `The password of your account was reset, and every sign-in has ended.
${kept.length > 0 ? `\nThese API keys still work. Delete those that you do not know:\n\n${kept.map((one) => `  ${one}\n`).join('')}` : ''}
If it was not you, reset the password again at once, and change the
password of your mailbox.
`;
