import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import type { Principal } from '../../auth/principal.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { hashFault, PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { MailService } from '../../platform/mail/mail.service.js';
import { EmailVerificationsService } from '../users/email-verifications.service.js';
import { acceptPassword, isWellFormedPassword, normalisePassword } from '../users/password-policy.js';
import { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import { CarrierRegistry, type IssuedCredential } from './carriers.js';
import type { CarrierName, SignIn } from './sign-in.entity.js';
import { type Lifetimes, SignInsService } from './sign-ins.service.js';
import { onOff } from '../../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../../platform/config/settings.js';

const settings = defineSettings({ REQUIRE_VERIFIED_EMAIL: (production) => onOff.default(production) });

declare module '../../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

const PASSWORD_AMR = ['pwd'];

interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** Everything that a password opens: a sign-in, its renewal, another password. */
@Injectable()
export class PasswordsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly users: UsersService,
    private readonly verifications: EmailVerificationsService,
    private readonly signIns: SignInsService,
    private readonly carriers: CarrierRegistry,
    private readonly hasher: PasswordHasher,
    private readonly mail: MailService,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Signs a person in. `attach` adds, in the same transaction, what carries the sign-in.
   * @throws InvalidCredentialError, one for all reasons
   */
  async signIn<T>(
    credentials: Credentials,
    carrier: CarrierName,
    lifetimes: Lifetimes,
    attach: (manager: EntityManager, signIn: SignIn, user: User) => Promise<T>,
  ): Promise<T> {
    const attempt = async () => {
      const user = await this.#check(credentials);
      const passwordHash = await this.#rehash(user, credentials.password);
      return this.dataSource.transaction(async (manager) => {
        if (!(await this.#lockUnchanged(manager, user))) return undefined;
        if (passwordHash !== undefined || user.unusedSince !== null)
          await manager.update(
            User,
            { id: user.id },
            { passwordHash: passwordHash ?? user.passwordHash, unusedSince: null },
          );
        const fields = { userId: user.id, carrier, amr: PASSWORD_AMR, lifetimes };
        const signIn = await this.signIns.create(manager, fields);
        return { signIn, attached: await attach(manager, signIn, user) };
      });
    };
    // Changed since it was checked: another password, or the same one, hashed anew by a sign-in at the same moment.
    const result = (await attempt()) ?? (await attempt());
    if (!result) throw this.#refuse('sign-in.refused', 'changed while signing in', undefined);
    const { id, userId } = result.signIn;
    this.log.happened('sign-in.succeeded', { userId, credentialId: id, carrier, method: 'password' });
    return result.attached;
  }

  /** Proves again who a person is: a new time of authentication, and new secrets for what carries the sign-in. */
  async reauthenticate(principal: Principal, password: string): Promise<IssuedCredential> {
    const user = await this.users.get(principal.userId);
    const refuse = (reason: string) => this.#refuse('reauthentication.refused', reason, user.id);
    if (!(await this.#verify(user, password))) throw refuse(whyWrong(user));
    const renewed = await this.dataSource.transaction(async (manager) => {
      if (!(await this.#lockUnchanged(manager, user))) throw refuse('changed meanwhile');
      return this.#renew(manager, principal, user);
    });
    this.log.happened('reauthentication.succeeded', {
      userId: user.id,
      credentialId: principal.signInId,
      method: 'password',
    });
    return renewed;
  }

  /** Sets another password. Every other sign-in of the person ends, and this one gets new secrets (ASVS 7.4.3). */
  async change(
    principal: Principal,
    currentPassword: string,
    newPassword: string,
  ): Promise<IssuedCredential> {
    const user = await this.users.get(principal.userId);
    const refuse = (reason: string) => this.#refuse('password.change-refused', reason, user.id);
    const accepted = acceptPassword(
      newPassword,
      '/newPassword',
      user.name === null ? [user.email] : [user.email, user.name],
    );
    if (!(await this.#verify(user, currentPassword))) throw refuse(whyWrong(user));
    const passwordHash = await this.hasher.hash(accepted);
    const renewed = await this.dataSource.transaction(async (manager) => {
      if (!(await this.#lockUnchanged(manager, user))) throw refuse('changed meanwhile');
      await manager.update(User, { id: user.id }, { passwordHash });
      await this.signIns.endAll(manager, user.id, 'password changed', principal.signInId);
      return this.#renew(manager, principal, user);
    });
    this.log.happened('password.changed', { userId: user.id, credentialId: principal.signInId });
    await this.mail.send({
      to: user.email,
      subject: 'Your password was changed',
      text: 'Your password was changed, and every other sign-in has ended.\nIf it was not you, answer this mail at once.\n',
    });
    return renewed;
  }

  /** The user whose password this is, if they may sign in. */
  async #check({ email, password }: Credentials): Promise<User> {
    const user = await this.users.findByEmail(email);
    const refuse = (reason: string) => this.#refuse('sign-in.refused', reason, user?.id);
    if (!(await this.#verify(user, password)) || !user)
      throw refuse(user ? whyWrong(user) : 'unknown address');
    if (user.status !== 'active') throw refuse('user disabled');
    if (this.config.REQUIRE_VERIFIED_EMAIL && user.emailVerifiedAt === null) {
      this.verifications.remind(user);
      throw refuse('address not verified');
    }
    return user;
  }

  /** A hash with today's parameters, where the stored one has others. */
  async #rehash(user: User, password: string): Promise<string | undefined> {
    return this.hasher.isOutdated(user.passwordHash)
      ? this.hasher.hash(normalisePassword(password))
      : undefined;
  }

  /** Whether the user is as they were when the password was checked, roles included. Holds the row, so that of two changes at once one loses. */
  async #lockUnchanged(manager: EntityManager, user: User): Promise<boolean> {
    const rows: unknown[] = await manager.query(
      `SELECT 1 FROM users WHERE id = $1 AND password_hash = $2 AND roles = $3 AND status = 'active' FOR NO KEY UPDATE`,
      [user.id, user.passwordHash, user.roles],
    );
    return rows.length > 0;
  }

  async #renew(manager: EntityManager, principal: Principal, user: User): Promise<IssuedCredential> {
    const signIn = await this.signIns.renewAuthTime(manager, principal.signInId, principal.authTime);
    if (!signIn) throw new InvalidCredentialError('sign-in ended or renewed meanwhile');
    return this.carriers.get(signIn.carrier).renew(manager, signIn, user);
  }

  #verify(user: User | null, password: string): Promise<boolean> {
    // What is ill-formed was never accepted; the work is done all the same.
    const stored = user && isWellFormedPassword(password) ? user.passwordHash : undefined;
    return this.hasher.verify(stored, normalisePassword(password));
  }

  #refuse(event: string, reason: string, userId: string | undefined): InvalidCredentialError {
    this.log.refused(event, { reason, userId });
    return new InvalidCredentialError(reason);
  }
}

/** Why a password did not match, for the log. */
const whyWrong = (user: User): string => hashFault(user.passwordHash) ?? 'wrong password';
