import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Clock } from '../../platform/clock/clock.js';
import { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { inFixedTime } from '../../platform/lookup/fixed-time.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';
import type { Mail } from '../../platform/mail/mail.service.js';
import { RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import { EmailVerificationsService } from './email-verifications.service.js';
import { acceptPassword } from './password-policy.js';
import { Registration } from './registration.entity.js';
import { User } from './user.entity.js';
import type { RegistrationRequest } from './users.schemas.js';
import { UsersService } from './users.service.js';

/** Registrations stored per address and hour. The limit protects the owner of the address from many mails. */
const REPEATED = { requests: 5, windowSeconds: 3600 };
const TAKEN: Omit<Mail, 'to'> = {
  subject: 'Registration with your email address',
  text: `Somebody, perhaps you, tried to register an account with this address.
An account with this address already exists. If it was you, sign in to it.
If it was not you, ignore this mail. Nothing was changed.
`,
};

interface Fields {
  readonly email: string;
  readonly name: string | null;
  readonly passwordHash: string;
}

/** The account of the address, and the reason if the registration was not stored. */
interface Outcome {
  readonly userId?: string;
  readonly refused?: string;
}

/** Registers addresses. Only the owner of an address learns whether it was free. */
@Injectable()
export class RegistrationsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly verifications: EmailVerificationsService,
    private readonly hasher: PasswordHasher,
    private readonly limiter: RateLimiter,
    private readonly mails: MailQueue,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
  ) {}

  /**
   * Registers an address. The first registration creates the account. While the address is unconfirmed, each later one
   * is stored on its own and does not change the account. The answer and its time are always the same (ASVS 6.3.8).
   * @throws ValidationError if the password is not accepted
   */
  async register({ email, password, name }: RegistrationRequest): Promise<void> {
    const accepted = acceptPassword(password, '/password', name === undefined ? [email] : [email, name]);
    const passwordHash = await this.hasher.hash(accepted);
    await inFixedTime(() => this.#register({ email, name: name ?? null, passwordHash }));
  }

  async #register(fields: Fields): Promise<void> {
    const { userId, refused } = await this.dataSource.transaction(async (manager) => {
      const outcome = await this.#keep(manager, fields);
      if (outcome.refused === undefined)
        await this.log.record(manager, 'user.registered', { userId: outcome.userId });
      return outcome;
    });
    if (refused !== undefined) this.log.refused('user.registration-refused', { userId, reason: refused });
  }

  async #keep(manager: EntityManager, fields: Fields): Promise<Outcome> {
    const now = this.clock.now();
    const { email, name, passwordHash } = fields;
    const created = await this.users.insert({ ...fields, createdAt: now, unusedSince: now }, manager);
    if (created) {
      await this.verifications.mail(manager, created);
      return { userId: created.id };
    }
    // The lock prevents a new registration from being stored after a parallel confirmation has deleted the others.
    const user = await manager.findOne(User, { where: { email }, lock: { mode: 'for_no_key_update' } });
    if (!user) return { refused: 'account deleted meanwhile' };
    const userId = user.id;
    if (!(await this.limiter.allows('registration-mails', userId, REPEATED, manager)))
      return { userId, refused: 'too many registrations' };
    if (user.emailVerifiedAt !== null || user.status !== 'active') {
      await this.mails.add(manager, [{ to: email, ...TAKEN }]);
      return { userId, refused: 'address taken' };
    }
    const registration = { id: uuidv7(), userId, name, passwordHash, createdAt: now };
    await manager.insert(Registration, registration);
    await this.verifications.mail(manager, user, registration);
    return { userId };
  }
}
