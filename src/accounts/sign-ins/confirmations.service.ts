import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { isRandomSecret, sha256 } from '../../platform/crypto/secret.js';
import { ValidationError } from '../../web/http/validation.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { KnownSources } from '../attempt-limits/known-sources.js';
import { AccountTakeover } from '../users/account-takeover.js';
import { EmailVerification } from '../users/email-verification.entity.js';
import { acceptPassword } from '../users/password-policy.js';
import { Registration } from '../users/registration.entity.js';
import { User } from '../users/user.entity.js';
import { AlreadyConfirmedError, InvalidOneTimeTokenError } from '../users/users.errors.js';
import type { Verification } from '../users/users.schemas.js';
import { SignInsService } from './sign-ins.service.js';

const POINTER = '/newPassword';

/** Looks for a link of another room, and returns what confirms it. Undefined: the room has no such link. */
type OtherLink = (tokenHash: Buffer) => Promise<(() => Promise<void>) | undefined>;

/** Confirms addresses. The first confirmed registration becomes the account. */
@Injectable()
export class ConfirmationsService {
  readonly #others: OtherLink[] = [];

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly signIns: SignInsService,
    private readonly sources: KnownSources,
    private readonly takeover: AccountTakeover,
    private readonly hasher: PasswordHasher,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
  ) {}

  /** Adds a kind of link that confirms an address. */
  register(other: OtherLink): void {
    this.#others.push(other);
  }

  /**
   * @throws InvalidOneTimeTokenError if the link is unknown, has expired, or another link was confirmed first
   * @throws AlreadyConfirmedError if the link was already used
   * @throws ValidationError if a new password is missing, not accepted, or sent for a link that does not set one
   */
  async confirm({ token, newPassword }: Verification): Promise<void> {
    if (!isRandomSecret(token)) throw this.#refuse('malformed');
    const tokenHash = sha256(token);
    const link = await this.#find(this.dataSource.manager, tokenHash);
    if (!link) return this.#confirmOther(tokenHash, newPassword);
    const passwordHash = await this.#hash(link, newPassword);
    const { userId } = link;
    await this.dataSource.transaction(async (manager) => {
      // A parallel confirmation waits here, so its link must be read again after the lock.
      await manager.query('SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE', [userId]);
      const still = await this.#find(manager, tokenHash);
      if (!still) throw this.#refuse('superseded', userId);
      const takenOver = await this.#decide(manager, still, passwordHash);
      if (passwordHash !== undefined) await this.sources.remember(manager, userId);
      await this.log.record(manager, 'user.email-verified', { userId, takenOver });
    });
  }

  async #confirmOther(tokenHash: Buffer, newPassword: string | undefined): Promise<void> {
    for (const find of this.#others) {
      const confirm = await find(tokenHash);
      if (!confirm) continue;
      refusePassword(newPassword);
      return confirm();
    }
    throw this.#refuse('unknown or superseded');
  }

  /** Returns a link that can be used, with its user. Undefined if there is none. */
  async #find(manager: EntityManager, tokenHash: Buffer): Promise<EmailVerification | undefined> {
    const link = await manager.findOne(EmailVerification, {
      where: { tokenHash },
      relations: { user: true, registration: true },
    });
    if (!link) return undefined;
    if (link.usedAt) throw new AlreadyConfirmedError();
    if (link.expiresAt <= this.clock.now()) throw this.#refuse('expired', link.userId);
    if (link.user.status !== 'active') throw this.#refuse('user disabled', link.userId);
    if (link.user.emailVerifiedAt !== null) throw this.#refuse('confirmed otherwise', link.userId);
    return link;
  }

  /** Returns the hash of the new password if the link sets one. */
  async #hash({ setsPassword, user }: EmailVerification, newPassword: string | undefined) {
    if (!setsPassword) return refusePassword(newPassword);
    if (newPassword === undefined)
      throw new ValidationError([{ pointer: POINTER, detail: 'is required: this link sets a new password' }]);
    const about = user.name === null ? [user.email] : [user.email, user.name];
    return this.hasher.hash(acceptPassword(newPassword, POINTER, about));
  }

  /** Returns whether the account got the password of a later registration or a new one. */
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
    // A confirmed link answers `already-confirmed` until it expires. All other links are deleted.
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

/** @throws ValidationError if a password is sent for a link that does not set one */
function refusePassword(newPassword: string | undefined): undefined {
  if (newPassword !== undefined)
    throw new ValidationError([
      { pointer: POINTER, detail: 'must not be sent: this link does not set a password' },
    ]);
}
