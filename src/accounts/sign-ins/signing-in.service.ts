import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { RateLimitedError } from '../../platform/rate-limits/rate-limits.errors.js';
import { AttemptLimits, defineProofLimits } from '../attempt-limits/attempt-limits.js';
import { User } from '../users/user.entity.js';
import { PasswordCheck } from './password-check.js';
import { type Attempt, type Proof, ProofRegistry } from './proofs.js';
import { isPassword, type PasswordProof, type SignInRequest } from './sign-in-request.js';
import type { CarrierName, SignIn } from './sign-in.entity.js';
import { type Lifetimes, SignInsService } from './sign-ins.service.js';

export const PASSWORD_AMR = ['pwd'];
/** Of codes, such as those of an authenticator app. */
export const PROOF_LIMITS = defineProofLimits('second-factor');

interface Entrance<Parameters, T> {
  readonly carrier: CarrierName;
  readonly lifetimes: Lifetimes;
  /** Creates the carrier of the sign-in in the same transaction. */
  attach(manager: EntityManager, signIn: SignIn, user: User, parameters: Parameters): Promise<T>;
}

interface Created<T> {
  readonly attached: T;
}

/** Signs people in: by password, and by what rooms register as further proofs. */
@Injectable()
export class SigningInService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly passwords: PasswordCheck,
    private readonly proofs: ProofRegistry,
    private readonly signIns: SignInsService,
    private readonly limits: AttemptLimits,
    private readonly log: SecurityLog,
  ) {}

  /**
   * @throws InvalidCredentialError with the same answer for all reasons
   * @throws ProblemError of a room that demands a further proof
   */
  async signIn<Parameters, T>(
    { proof: fields, parameters }: SignInRequest<Parameters>,
    entrance: Entrance<Parameters, T>,
  ): Promise<T> {
    if (isPassword(fields))
      return this.#byPassword(fields as unknown as PasswordProof, parameters as Parameters, entrance);
    const { proof, parameters: stored } = await this.proofs.signIn(fields, entrance.carrier);
    return this.#byProof(proof, (stored ?? parameters) as Parameters, entrance);
  }

  async #byPassword<Parameters, T>(
    credentials: PasswordProof,
    parameters: Parameters,
    entrance: Entrance<Parameters, T>,
  ): Promise<T> {
    const attempt = () => this.#tryPassword(credentials, parameters, entrance);
    // Try again if the user changed after the check: a parallel sign-in can have hashed the same password again, and a
    // parallel enrolment makes the second attempt demand the new factor.
    const created = (await attempt()) ?? (await attempt());
    if (!created) throw this.passwords.refuse('sign-in.refused', 'changed while signing in', undefined);
    return created.attached;
  }

  async #tryPassword<Parameters, T>(
    { email, password }: PasswordProof,
    parameters: Parameters,
    { carrier, lifetimes, attach }: Entrance<Parameters, T>,
  ): Promise<Created<T> | undefined> {
    const user = await this.passwords.ofSignIn(email, password);
    await this.#demand(user, { carrier, parameters });
    const passwordHash = await this.passwords.rehash(user, password);
    return this.dataSource.transaction(async (manager) => {
      if (!(await this.passwords.lockUnchanged(manager, user))) return undefined;
      if (await this.proofs.needed(manager, user)) return undefined;
      if (passwordHash !== undefined || user.unusedSince !== null)
        await manager.update(
          User,
          { id: user.id },
          { passwordHash: passwordHash ?? user.passwordHash, unusedSince: null },
        );
      const proven = { amr: PASSWORD_AMR, secondFactor: false };
      const created = await this.signIns.create(manager, { userId: user.id, carrier, proven, lifetimes });
      await this.#record(manager, created, 'password');
      return { attached: await attach(manager, created.signIn, user, parameters) };
    });
  }

  async #demand(user: User, attempt: Attempt): Promise<void> {
    const demand = await this.proofs.demand(user, attempt);
    if (demand) throw demand;
  }

  async #byProof<Parameters, T>(
    proof: Proof,
    parameters: Parameters,
    { carrier, lifetimes, attach }: Entrance<Parameters, T>,
  ): Promise<T> {
    const { userId } = proof;
    const use = () =>
      this.dataSource.transaction(async (manager) => {
        const user = await manager.findOne(User, {
          where: { id: userId },
          lock: { mode: 'for_no_key_update' },
        });
        const refused = user
          ? (this.passwords.whyBarred(user) ?? (await proof.use(manager, user)))
          : 'user deleted';
        if (refused || !user) throw this.passwords.refuse('sign-in.refused', refused!, userId);
        const created = await this.signIns.create(manager, { userId, carrier, proven: proof, lifetimes });
        await this.#record(manager, created, proof.method);
        return attach(manager, created.signIn, user, parameters);
      });
    return proof.unguessable ? use() : this.#limited(proof, use);
  }

  async #limited<T>(proof: Proof, use: () => Promise<T>): Promise<T> {
    try {
      return await this.limits.check(PROOF_LIMITS, { userId: proof.userId }, use);
    } catch (error) {
      if (error instanceof RateLimitedError) await proof.limited?.();
      throw error;
    }
  }

  #record(
    manager: EntityManager,
    { signIn: { id, userId, carrier }, newDevice }: { signIn: SignIn; newDevice: boolean },
    method: string,
  ): Promise<void> {
    const facts = { userId, credentialId: id, carrier, method, newDevice };
    return this.log.record(manager, 'sign-in.succeeded', facts);
  }
}
