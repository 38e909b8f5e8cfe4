import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { InsufficientUserAuthenticationError } from '../../auth/auth.errors.js';
import { ModeRegistry } from '../../auth/mode-registry.js';
import type { Principal } from '../../auth/principal.js';
import { ActingSignIn } from '../../accounts/sign-ins/acting-sign-in.js';
import type { IssuedCredential } from '../../accounts/sign-ins/carriers.js';
import type { Proven } from '../../accounts/sign-ins/proofs.js';
import { ReauthenticationService } from '../../accounts/sign-ins/reauthentication.service.js';
import { User } from '../../accounts/users/user.entity.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { MailQueue } from '../../platform/mail/mail-queue.js';
import { RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import { RevocationsService } from '../../platform/revocations/revocations.service.js';
import { RecoveryCodesService } from './recovery-codes.service.js';
import { type EnrolledFactors, hasFactor, SecondFactors } from './second-factors.js';

/**
 * Requests of a person in an hour. A change moves auth_time forward by a second. Removals are not limited: each needs an
 * enrolment, and the owner must always be able to remove a factor of a thief.
 */
const CHANGES = { requests: 30, windowSeconds: 3600 };

export interface FactorChange {
  /** For the log, such as `totp.enrolled`. */
  readonly event: string;
  /** For the mail, such as "An authenticator app was added". */
  readonly told: string;
}

interface Acting {
  readonly manager: EntityManager;
  readonly user: User;
  readonly enrolled: EnrolledFactors;
}

/** Changes the second factors of a person. Each change locks the user, so that two changes of one person run in turn. */
@Injectable()
export class FactorChanges {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly acting: ActingSignIn,
    private readonly factors: SecondFactors,
    private readonly codes: RecoveryCodesService,
    private readonly reauthentication: ReauthenticationService,
    private readonly revocations: RevocationsService,
    private readonly modes: ModeRegistry,
    private readonly mails: MailQueue,
    private readonly limiter: RateLimiter,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Runs `work` for the acting person.
   * @throws RateLimitedError
   * @throws InsufficientUserAuthenticationError
   */
  async run<T>(principal: Principal, work: (acting: Acting) => Promise<T>): Promise<T> {
    await this.#limit(principal);
    return this.#locked(principal, work);
  }

  /**
   * The guard checked the sign-in before the transaction waited for its locks. So the transaction checks it again: it
   * requires a first factor that was enrolled meanwhile.
   * @throws InsufficientUserAuthenticationError
   */
  #locked<T>(principal: Principal, work: (acting: Acting) => Promise<T>): Promise<T> {
    return this.dataSource.transaction(async (manager) => {
      await this.acting.lock(manager, principal, []);
      const enrolled = await this.factors.of(principal.userId, manager);
      if (hasFactor(enrolled) && principal.acr !== 'aal2')
        throw new InsufficientUserAuthenticationError(
          this.modes.challengeOf(principal.mode),
          this.config.REAUTHENTICATION_WINDOW,
          true,
        );
      const user = await manager.findOneByOrFail(User, { id: principal.userId });
      return work({ manager, user, enrolled });
    });
  }

  #limit({ userId }: Principal): void | Promise<void> {
    return this.limiter.consume('factor-changes', userId, CHANGES);
  }

  /** Records a change and mails the owner about it, in its transaction. */
  async tell(
    { manager, user }: Acting,
    { signInId }: Principal,
    { event, told }: FactorChange,
  ): Promise<void> {
    const text = `${told}.\nIf it was not you, sign in, remove what you do not know, and change your password.\n`;
    await this.mails.add(manager, [{ to: user.email, subject: told, text }]);
    await this.log.record(manager, event, { userId: user.id, credentialId: signInId });
  }

  /** Adds a factor. It counts as used, because its owner has just proved it. The first factor brings recovery codes. */
  async enrol(
    principal: Principal,
    change: FactorChange,
    amr: readonly string[],
    work: (acting: Acting) => Promise<object>,
  ): Promise<IssuedCredential> {
    await this.#limit(principal);
    return this.#change(principal, change, { amr, secondFactor: true }, async (acting) => {
      const body = await work(acting);
      if (hasFactor(acting.enrolled)) return body;
      return { ...body, recoveryCodes: await this.codes.replace(acting.manager, principal.userId) };
    });
  }

  /** Removes a factor. The recovery codes go with the last one. */
  async remove(
    principal: Principal,
    change: FactorChange,
    work: (acting: Acting) => Promise<object>,
  ): Promise<IssuedCredential> {
    return this.#change(principal, change, undefined, async (acting) => {
      const body = await work(acting);
      const left = await this.factors.of(principal.userId, acting.manager);
      if (!hasFactor(left)) await this.codes.removeAll(acting.manager, principal.userId);
      return body;
    });
  }

  /** Replaces the secrets of the sign-in. It does not become more recent: a new factor does not prove the person. */
  async #change(
    principal: Principal,
    change: FactorChange,
    proven: Proven | undefined,
    work: (acting: Acting) => Promise<object>,
  ): Promise<IssuedCredential> {
    return this.#locked(principal, async (acting) => {
      const body = await work(acting);
      await this.tell(acting, principal, change);
      await this.revocations.announce(acting.manager, [{ kind: 'second-factor', subject: principal.userId }]);
      const renewed = await this.reauthentication.renew(
        acting.manager,
        principal,
        acting.user,
        proven && { ...proven, identity: false },
      );
      return { ...renewed, body: { ...renewed.body, ...body } };
    });
  }
}
