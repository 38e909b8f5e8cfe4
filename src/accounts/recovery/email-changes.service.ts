import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { isRandomSecret, sha256 } from '../../platform/crypto/secret.js';
import {
  DEADLOCK,
  retryTransaction,
  sqlStateOf,
  UNIQUE_VIOLATION,
} from '../../platform/database/retry-transaction.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';
import { ConfirmationsService } from '../sign-ins/confirmations.service.js';
import { SignInsService } from '../sign-ins/sign-ins.service.js';
import { EmailVerification } from '../users/email-verification.entity.js';
import { Registration } from '../users/registration.entity.js';
import { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import { AlreadyConfirmedError, InvalidOneTimeTokenError } from '../users/users.errors.js';
import { EmailChange, EmailChangeLink } from './email-change.entity.js';
import { UNDO_MAIL } from './email-change-links.service.js';
import { PasswordReset } from './password-reset.entity.js';
import { RESET_MAIL } from './password-reset-links.service.js';
import { AddressTakenError } from './recovery.errors.js';

/** Changes the address of an account with the token of a link, and undoes it. */
@Injectable()
export class EmailChangesService implements OnModuleInit {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly confirmations: ConfirmationsService,
    private readonly users: UsersService,
    private readonly signIns: SignInsService,
    private readonly mails: MailQueue,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
  ) {}

  onModuleInit(): void {
    this.confirmations.register(async (tokenHash) => {
      const change = await this.#find(tokenHash, 'confirm');
      return change && (() => this.#confirm(change));
    });
  }

  /** Gives the account its new address. */
  async #confirm({ id, userId }: EmailChange): Promise<void> {
    try {
      await this.dataSource.transaction(async (manager) => {
        const user = await this.#lockUser(manager, userId);
        const change = await manager.findOneBy(EmailChange, { id });
        if (!change) throw this.#refuse('undone meanwhile', userId);
        await this.#change(manager, user, change);
        await this.log.record(manager, 'user.email-changed', { userId });
      });
    } catch (error) {
      // The unique index decides between two accounts that want one address.
      if (sqlStateOf(error) === UNIQUE_VIOLATION) throw this.#refuse('address taken', userId);
      throw error;
    }
  }

  async #change(manager: EntityManager, user: User, change: EmailChange): Promise<void> {
    const { id, userId, oldEmail, newEmail, signInId } = change;
    if (change.confirmedAt !== null) throw new AlreadyConfirmedError();
    if (user.email !== oldEmail) throw this.#refuse('address changed since', userId);
    // A change of the password does not end the sign-in that changes it, which can be the one that requested the change.
    if (!sha256(user.passwordHash).equals(change.passwordDigest))
      throw this.#refuse('password changed since', userId);
    const now = this.clock.now();
    // A new password, a reset and a sign-out elsewhere end the sign-in, and the requests of whoever used it.
    const alive: unknown[] = await manager.query(
      `SELECT 1 FROM sign_ins WHERE id = $1 AND ended_at IS NULL AND expires_at > $2 AND idle_expires_at > $2
       FOR NO KEY UPDATE`,
      [signInId, now],
    );
    if (alive.length === 0) throw this.#refuse('sign-in that requested the change ended', userId);
    await manager.update(User, { id: userId }, { email: newEmail, emailVerifiedAt: now, unusedSince: null });
    await manager.update(EmailChange, { id }, { confirmedAt: now });
    await this.#deleteLinks(manager, userId);
    // Nobody has shown that an unconfirmed address is theirs: its owner may be a stranger to the account.
    if (user.emailVerifiedAt !== null)
      await this.mails.add(manager, [{ to: oldEmail, kind: UNDO_MAIL, about: id }]);
  }

  /**
   * Gives the account its old address back, ends its sign-ins and mails a link to set a new password.
   * @throws InvalidOneTimeTokenError
   * @throws AddressTakenError
   */
  async undo(token: string): Promise<void> {
    const change = isRandomSecret(token) ? await this.#find(sha256(token), 'undo') : undefined;
    if (!change) throw this.#refuse('unknown or used');
    const { userId } = change;
    // A registration of the old address can come in between. Requests under way lock rows of that account in other orders.
    await retryTransaction(this.dataSource, [UNIQUE_VIOLATION, DEADLOCK], async (manager) => {
      await this.#undo(manager, change);
      await this.log.record(manager, 'user.email-change-undone', { userId });
    });
  }

  async #undo(manager: EntityManager, change: EmailChange): Promise<void> {
    const { id, userId, oldEmail } = change;
    await manager.query('SELECT 1 FROM users WHERE id = $1 OR email = $2 ORDER BY id FOR UPDATE', [
      userId,
      oldEmail,
    ]);
    await this.#lockUser(manager, userId);
    if (!(await manager.existsBy(EmailChange, { id }))) throw this.#refuse('undone meanwhile', userId);
    await this.#free(manager, oldEmail, userId);
    await manager.update(User, { id: userId }, { email: oldEmail });
    await this.signIns.endAll(manager, userId, 'change of address undone');
    // Also the changes after this one. A change that waits is lost with the sign-in that requested it.
    await manager.query('DELETE FROM email_changes WHERE user_id = $1 AND confirmed_at >= $2', [
      userId,
      change.confirmedAt,
    ]);
    await this.#deleteLinks(manager, userId);
    await this.mails.add(manager, [{ to: oldEmail, kind: RESET_MAIL }]);
  }

  /** Removes an account that took the address meanwhile and has not confirmed it: nobody could undo anything otherwise. */
  async #free(manager: EntityManager, email: string, userId: string): Promise<void> {
    const other = await manager.findOneBy(User, { email });
    if (!other || other.id === userId) return;
    if (other.emailVerifiedAt !== null) throw new AddressTakenError();
    await this.users.delete(manager, other.id);
  }

  /** The change of a link that has not expired. */
  async #find(tokenHash: Buffer, purpose: EmailChangeLink['purpose']): Promise<EmailChange | undefined> {
    const link = await this.dataSource.manager.findOne(EmailChangeLink, {
      where: { tokenHash, purpose },
      relations: { change: true },
    });
    if (link && link.expiresAt <= this.clock.now()) throw this.#refuse('expired', link.change.userId);
    return link?.change;
  }

  async #lockUser(manager: EntityManager, id: string): Promise<User> {
    const user = await manager.findOne(User, {
      where: { id, status: 'active' },
      lock: { mode: 'for_no_key_update' },
    });
    if (!user) throw this.#refuse('user disabled or deleted', id);
    return user;
  }

  /** The links that were mailed to the address before. */
  async #deleteLinks(manager: EntityManager, userId: string): Promise<void> {
    await manager.delete(PasswordReset, { userId });
    await manager.delete(EmailVerification, { userId });
    await manager.delete(Registration, { userId });
  }

  #refuse(reason: string, userId?: string): InvalidOneTimeTokenError {
    this.log.refused('email-change.refused', { reason, userId });
    return new InvalidOneTimeTokenError(reason);
  }
}
