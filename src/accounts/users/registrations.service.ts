import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Clock } from '../../platform/clock/clock.js';
import { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { inFixedTime } from '../../platform/lookup/fixed-time.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { type Mail, MailService } from '../../platform/mail/mail.service.js';
import { RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import { EmailVerificationsService, type Link } from './email-verifications.service.js';
import { acceptPassword } from './password-policy.js';
import { Registration } from './registration.entity.js';
import { User } from './user.entity.js';
import type { RegistrationRequest } from './users.schemas.js';
import { UsersService } from './users.service.js';

/** More registrations of one address in an hour are not kept, so that its owner is not flooded with mails. */
const REPEATED = { requests: 5, windowSeconds: 3600 };
const TAKEN: Omit<Mail, 'to'> = {
  subject: 'Somebody tried to register with your address',
  text: `Somebody, perhaps you, tried to register an account with this address.
There is one already: sign in with it. If it was not you, there is
nothing to do. Nothing was changed.
`,
};

interface Fields {
  readonly email: string;
  readonly name: string | null;
  readonly passwordHash: string;
}

/** The link to mail, or why there is none. */
type Outcome = { readonly userId?: string } & ({ readonly link: Link } | { readonly refused: string });

const ADDRESS_TAKEN = 'address taken';

/** Registers addresses. Nobody but the owner of an address learns whether it was free. */
@Injectable()
export class RegistrationsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly verifications: EmailVerificationsService,
    private readonly hasher: PasswordHasher,
    private readonly limiter: RateLimiter,
    private readonly mail: MailService,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
  ) {}

  /**
   * Registers an address. The first registration is an account at once. While nobody has confirmed the address, each
   * later one is kept on its own, with its own password and link, and changes nothing about the account. The answer and
   * its time are the same in every case (ASVS 6.3.8).
   * @throws ValidationError for a password that nobody should have
   */
  async register({ email, password, name }: RegistrationRequest): Promise<void> {
    const accepted = acceptPassword(password, '/password', name === undefined ? [email] : [email, name]);
    const passwordHash = await this.hasher.hash(accepted);
    await inFixedTime(() => this.#register({ email, name: name ?? null, passwordHash }));
  }

  async #register(fields: Fields): Promise<void> {
    const outcome = await this.dataSource.transaction((manager) => this.#keep(manager, fields));
    const { userId } = outcome;
    if ('link' in outcome) {
      this.log.happened('user.registered', { userId });
      return this.verifications.mail(outcome.link);
    }
    this.log.refused('user.registration-refused', { userId, reason: outcome.refused });
    if (outcome.refused === ADDRESS_TAKEN) await this.mail.send({ to: fields.email, ...TAKEN });
  }

  async #keep(manager: EntityManager, fields: Fields): Promise<Outcome> {
    const now = this.clock.now();
    const created = await this.users.insert({ ...fields, createdAt: now, unusedSince: now }, manager);
    if (created) return { userId: created.id, link: await this.verifications.create(manager, created) };
    // Held, so that a registration is not kept behind the one that is confirmed at this moment.
    const user = await manager.findOne(User, {
      where: { email: fields.email },
      lock: { mode: 'for_no_key_update' },
    });
    if (!user) return { refused: 'account deleted meanwhile' };
    const userId = user.id;
    if (!(await this.limiter.allows('registration-mails', userId, REPEATED)))
      return { userId, refused: 'too many registrations' };
    if (user.emailVerifiedAt !== null || user.status !== 'active') return { userId, refused: ADDRESS_TAKEN };
    const { name, passwordHash } = fields;
    const registration = { id: uuidv7(), userId, name, passwordHash, createdAt: now };
    await manager.insert(Registration, registration);
    return { userId, link: await this.verifications.create(manager, user, registration) };
  }
}
