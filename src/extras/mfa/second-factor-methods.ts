import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import type { ProblemError } from '../../platform/problems/problem.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import {
  type Attempt,
  type FurtherProofs,
  type Proof,
  type ProofFields,
  ProofRegistry,
} from '../../accounts/sign-ins/proofs.js';
import type { CarrierName } from '../../accounts/sign-ins/sign-in.entity.js';
import type { User } from '../../accounts/users/user.entity.js';
import { AttemptCounter } from '../../platform/rate-limits/attempt-counter.js';
import { defineAttemptLimit } from '../../platform/rate-limits/attempt-limit.js';
import { MfaChallenges, type OpenChallenge } from './mfa-challenges.service.js';
import { MfaRequiredError } from './mfa.errors.js';
import { type EnrolledFactors, hasFactor, SecondFactors } from './second-factors.js';

/** Refused tokens and passkeys that name no account, by address. Nobody can guess them: this stops scans. */
const REFUSED_MFA = defineAttemptLimit({
  name: 'refused-mfa',
  attempts: 100,
  windowSeconds: 600,
  waits: { firstSeconds: 10, longestSeconds: 300 },
});

/**
 * `required`: the sign-in needs this method or another one that is offered. `possible`: the person can use it if another
 * method is required.
 */
export type Offer = 'required' | 'possible' | 'none';

/** A kind of second factor. Its name is the field of the body, such as `totp`. */
export interface SecondFactorMethod {
  readonly name: string;
  offer(enrolled: EnrolledFactors, user: User, attempt: Attempt): Offer | Promise<Offer>;
  /** Further fields of the answer `mfa-required`, such as `passkeyOptions`. */
  further?(user: User): Promise<Record<string, unknown>>;
  /** @throws InvalidCredentialError */
  prove(value: unknown, userId: string | undefined): Promise<Proof> | Proof;
}

/** Handles the second request of a sign-in, and every proof that is not a password. */
@Injectable()
export class SecondFactorMethods implements FurtherProofs, OnModuleInit {
  readonly #methods = new Map<string, SecondFactorMethod>();

  constructor(
    private readonly proofs: ProofRegistry,
    private readonly challenges: MfaChallenges,
    private readonly factors: SecondFactors,
    private readonly attempts: AttemptCounter,
    private readonly log: SecurityLog,
  ) {}

  onModuleInit(): void {
    this.proofs.register(this);
  }

  register(method: SecondFactorMethod): void {
    this.#methods.set(method.name, method);
  }

  async demand(user: User, attempt: Attempt): Promise<ProblemError | undefined> {
    const enrolled = await this.factors.of(user.id);
    const offers = await Promise.all(
      [...this.#methods.values()].map(async (method) => ({
        method,
        offer: await method.offer(enrolled, user, attempt),
      })),
    );
    if (!offers.some(({ offer }) => offer === 'required')) return undefined;
    const offered = offers.flatMap(({ method, offer }) => (offer === 'none' ? [] : [method]));
    const further = await Promise.all(offered.map(async (method) => method.further?.(user)));
    const names = offered.map(({ name }) => name);
    const token = await this.challenges.issue(user, attempt, names);
    this.log.happened('sign-in.second-factor-required', { userId: user.id, methods: names });
    return new MfaRequiredError(token, names, Object.assign({}, ...further));
  }

  async needed(manager: EntityManager, { id }: User): Promise<boolean> {
    return hasFactor(await this.factors.of(id, manager));
  }

  async signIn(fields: ProofFields, carrier: CarrierName): ReturnType<FurtherProofs['signIn']> {
    if (!('mfaToken' in fields)) return { proof: await this.#prove(fields, undefined, 'sign-in.refused') };
    const { mfaToken, ...second } = fields;
    const challenge = await this.challenges.attempt(mfaToken, carrier);
    if (!challenge)
      throw await this.#refuse('sign-in.refused', new InvalidCredentialError('mfaToken not valid here'));
    const proof = await this.#prove(second, challenge.userId, 'sign-in.refused', challenge.methods);
    return { proof: this.#afterPassword(proof, challenge), parameters: challenge.parameters };
  }

  reauthenticate(fields: ProofFields, userId: string): Promise<Proof> {
    return this.#prove(fields, userId, 'reauthentication.refused');
  }

  #afterPassword(proof: Proof, challenge: OpenChallenge): Proof {
    return {
      ...proof,
      amr: ['pwd', ...proof.amr],
      method: `password and ${proof.method}`,
      use: async (manager, user) =>
        (await this.challenges.use(manager, challenge, user)) ?? (await proof.use(manager, user)),
      limited: () => this.challenges.giveBack(challenge),
    };
  }

  /** All checks of second factors pass here: those of sign-ins and of reauthentications. */
  async #prove(
    fields: ProofFields,
    userId: string | undefined,
    event: string,
    allowed?: readonly string[],
  ): Promise<Proof> {
    // The schema of the route lets one method through.
    const [[name, value] = ['', undefined]] = Object.entries(fields);
    const method = this.#methods.get(name);
    try {
      if (!method || (allowed && !allowed.includes(name)))
        throw new InvalidCredentialError('method not offered');
      return await method.prove(value, userId);
    } catch (error) {
      if (error instanceof InvalidCredentialError) await this.#refuse(event, error, userId);
      throw error;
    }
  }

  /** @throws RateLimitedError */
  async #refuse(
    event: string,
    error: InvalidCredentialError,
    userId?: string,
  ): Promise<InvalidCredentialError> {
    this.log.refused(event, { reason: error.reason, userId });
    if (userId === undefined) await this.attempts.failed(REFUSED_MFA);
    return error;
  }
}
