import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import type { Principal } from '../../auth/principal.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { onOff } from '../../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../../platform/config/settings.js';
import { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { AttemptLimits, defineProofLimits } from '../attempt-limits/attempt-limits.js';
import { EmailVerificationsService } from '../users/email-verifications.service.js';
import { isWellFormedPassword, normalisePassword } from '../users/password-policy.js';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';

const settings = defineSettings({ REQUIRE_VERIFIED_EMAIL: (production) => onOff.default(production) });

declare module '../../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

const LIMITS = defineProofLimits('password');

/** The one place where a password is compared with the stored hash. */
@Injectable()
export class PasswordCheck {
  constructor(
    private readonly users: UsersService,
    private readonly verifications: EmailVerificationsService,
    private readonly limits: AttemptLimits,
    private readonly hasher: PasswordHasher,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Returns the user if the password is right and they can sign in. @throws InvalidCredentialError with the same answer for all reasons */
  ofSignIn(email: string, password: string): Promise<User> {
    return this.limits.check(LIMITS, { email }, () => this.#ofSignIn(email, password));
  }

  /** For a signed-in user. Their sign-in has its own limit. @throws InvalidCredentialError if the password is wrong */
  require(principal: Principal, user: User, password: string, event: string): Promise<void> {
    return this.limits.check(LIMITS, principal, async () => {
      const fault = await this.#fault(user, password);
      if (fault) throw this.refuse(event, fault, user.id);
    });
  }

  /** Returns why a user cannot sign in, whatever they prove. Returns undefined if they can. */
  whyBarred({ status, emailVerifiedAt }: Pick<User, 'status' | 'emailVerifiedAt'>): string | undefined {
    if (status !== 'active') return 'user disabled';
    if (this.config.REQUIRE_VERIFIED_EMAIL && emailVerifiedAt === null) return 'address not verified';
    return undefined;
  }

  /** Returns a new hash if the stored one has outdated parameters. */
  async rehash(user: User, password: string): Promise<string | undefined> {
    return this.hasher.isOutdated(user.passwordHash)
      ? this.hasher.hash(normalisePassword(password))
      : undefined;
  }

  /** Locks the user. Returns false if the password, roles or status changed after the password was checked. */
  async lockUnchanged(manager: EntityManager, user: User): Promise<boolean> {
    const rows: unknown[] = await manager.query(
      `SELECT 1 FROM users WHERE id = $1 AND password_hash = $2 AND roles = $3 AND status = 'active' FOR NO KEY UPDATE`,
      [user.id, user.passwordHash, user.roles],
    );
    return rows.length > 0;
  }

  refuse(event: string, reason: string, userId: string | undefined): InvalidCredentialError {
    this.log.refused(event, { reason, userId });
    return new InvalidCredentialError(reason);
  }

  async #ofSignIn(email: string, password: string): Promise<User> {
    const user = await this.users.findByEmail(email);
    const barred = user ? this.whyBarred(user) : undefined;
    const fault = await this.#fault(user, password, barred !== undefined);
    if (fault || !user) throw this.refuse('sign-in.refused', fault ?? 'unknown address', user?.id);
    if (!barred) return user;
    if (user.status === 'active') this.verifications.remind(user);
    throw this.refuse('sign-in.refused', barred, user.id);
  }

  async #fault(user: User | null, password: string, isRefused = false): Promise<string | undefined> {
    // An ill-formed password never matches, but checking it must take the same time.
    const stored = user && isWellFormedPassword(password) ? user.passwordHash : undefined;
    const attempt = { received: password, isRefused };
    if (await this.hasher.verify(stored, normalisePassword(password), attempt)) return undefined;
    return user ? (this.hasher.faultOf(user.passwordHash) ?? 'wrong password') : 'unknown address';
  }
}
