import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { isRandomSecret, sha256 } from '../../platform/crypto/secret.js';
import { ValidationError } from '../../web/http/validation.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { AccountTakeover } from '../users/account-takeover.js';
import { EmailVerification } from '../users/email-verification.entity.js';
import { acceptPassword } from '../users/password-policy.js';
import { Registration } from '../users/registration.entity.js';
import { User } from '../users/user.entity.js';
import { AlreadyConfirmedError, InvalidOneTimeTokenError } from '../users/users.errors.js';
import type { Verification } from '../users/users.schemas.js';
import { SignInsService } from './sign-ins.service.js';

/** Confirms addresses: the first registration whose link is confirmed becomes the account. */
@Injectable()
export class ConfirmationsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly signIns: SignInsService,
    private readonly takeover: AccountTakeover,
    private readonly hasher: PasswordHasher,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
  ) {}

  /**
   * @throws InvalidOneTimeTokenError for a link that is unknown, has expired, or lost to another one
   * @throws AlreadyConfirmedError for a link that was used
   * @throws ValidationError where a new password is missing, not accepted, or given for nothing
   */
  async confirm({ token, newPassword }: Verification): Promise<void> {
    if (!isRandomSecret(token)) throw this.#refuse('malformed');
    const tokenHash = sha256(token);
    const link = await this.#find(this.dataSource.manager, tokenHash);
    const passwordHash = await this.#hash(link, newPassword);
    const { userId } = link;
    const takenOver = await this.dataSource.transaction(async (manager) => {
      // Of two links at once, the second waits here, and finds what the first has left of it.
      await manager.query('SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE', [userId]);
      return this.#decide(manager, await this.#find(manager, tokenHash), passwordHash);
    });
    this.log.happened('user.email-verified', { userId, takenOver });
  }

  /** A link that can be used, with its user. */
  async #find(manager: EntityManager, tokenHash: Buffer): Promise<EmailVerification> {
    const link = await manager.findOne(EmailVerification, {
      where: { tokenHash },
      relations: { user: true, registration: true },
    });
    if (!link) throw this.#refuse('unknown or superseded');
    if (link.usedAt) throw new AlreadyConfirmedError();
    if (link.expiresAt <= this.clock.now()) throw this.#refuse('expired', link.userId);
    if (link.user.status !== 'active') throw this.#refuse('user disabled', link.userId);
    if (link.user.emailVerifiedAt !== null) throw this.#refuse('confirmed otherwise', link.userId);
    return link;
  }

  /** The new password of a link that sets one. */
  async #hash({ setsPassword, user }: EmailVerification, newPassword: string | undefined) {
    const pointer = '/newPassword';
    if (!setsPassword && newPassword === undefined) return undefined;
    if (!setsPassword)
      throw new ValidationError([{ pointer, detail: 'must not be sent: this link does not set a password' }]);
    if (newPassword === undefined)
      throw new ValidationError([{ pointer, detail: 'is required: this link sets a new password' }]);
    const about = user.name === null ? [user.email] : [user.email, user.name];
    return this.hasher.hash(acceptPassword(newPassword, pointer, about));
  }

  /** Whether the account passed to another registration than the one that made it, or to a new password. */
  async #decide(
    manager: EntityManager,
    { userId, registration }: EmailVerification,
    newHash: string | undefined,
  ): Promise<boolean> {
    const now = this.clock.now();
    const chosen = registration
      ? { passwordHash: registration.passwordHash, name: registration.name }
      : newHash !== undefined && { passwordHash: newHash };
    await manager.update(User, { id: userId }, { emailVerifiedAt: now, unusedSince: null, ...chosen });
    if (chosen) {
      await this.signIns.endAll(manager, userId, 'address confirmed by its owner');
      await this.takeover.end(manager, userId);
    }
    // Links of what was confirmed say so until they expire; all others are void.
    await manager.query(
      `UPDATE email_verifications SET used_at = $3, registration_id = NULL
       WHERE user_id = $1 AND registration_id IS NOT DISTINCT FROM $2 AND sets_password = $4`,
      [userId, registration?.id ?? null, now, newHash !== undefined],
    );
    await manager.delete(EmailVerification, { userId, usedAt: IsNull() });
    await manager.delete(Registration, { userId });
    return Boolean(chosen);
  }

  #refuse(reason: string, userId?: string): InvalidOneTimeTokenError {
    this.log.refused('email-verification.refused', { reason, userId });
    return new InvalidOneTimeTokenError(reason);
  }
}
