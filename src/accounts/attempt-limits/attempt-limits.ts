import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { BusyError } from '../../platform/crypto/password-hasher.js';
import { markAsUnavailable } from '../../platform/database/unavailable.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { AttemptCounter, type Budget } from '../../platform/rate-limits/attempt-counter.js';
import { type AttemptLimit, defineAttemptLimit } from '../../platform/rate-limits/attempt-limit.js';
import { NoAnswerError, within } from '../../platform/rate-limits/within.js';
import { type Account, KnownSources } from './known-sources.js';

const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;

/** Failures of all accounts together. They only cause a warning: a limit for all would lock out everybody. */
const ALL_FAILURES = defineAttemptLimit({
  name: 'failed-proofs',
  attempts: 1_000,
  windowSeconds: 600,
  waits: { firstSeconds: 60, longestSeconds: 600 },
});

/** A request waits at most this long for its count. Then it is refused, because an uncounted guess must not pass. */
const COUNT_TIMEOUT_MS = 1_000;

/** The limits of one kind of proof, such as a password. */
export interface ProofLimits {
  readonly ofAddress: AttemptLimit;
  readonly ofAccount: AttemptLimit;
  readonly ofKnownSource: AttemptLimit;
}

/**
 * Declares the limits for a kind of proof that can be guessed. One account gets at most 49 attempts in 24 hours from all
 * unknown sources together. NIST SP 800-63B section 3.2.2 allows 100.
 */
export function defineProofLimits(name: string): ProofLimits {
  const perDay = { attempts: 10, windowSeconds: DAY_SECONDS };
  const waits = { firstSeconds: 30, longestSeconds: HOUR_SECONDS };
  return {
    ofAddress: defineAttemptLimit({
      name: `${name}-address`,
      attempts: 100,
      windowSeconds: HOUR_SECONDS,
      waits: { firstSeconds: 10, longestSeconds: 600 },
    }),
    ofAccount: defineAttemptLimit({ name: `${name}-account`, ...perDay, waits }),
    ofKnownSource: defineAttemptLimit({ name: `${name}-known-source`, ...perDay, waits }),
  };
}

/** Whom an attempt counts for: an account from somewhere, or a person within a sign-in. */
export type Attempted = Account | { readonly signInId: string; readonly userId: string };

interface Budgets {
  readonly userId: string | undefined;
  readonly own: readonly Budget[];
  readonly others: readonly Budget[];
}

/** Limits the guesses at the proofs of a person. Every attempt is counted before its check. */
@Injectable()
export class AttemptLimits {
  constructor(
    private readonly counter: AttemptCounter,
    private readonly sources: KnownSources,
    private readonly log: SecurityLog,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Counts an attempt, then runs its check. A check that succeeds is given back. A check that throws stays counted, so that
   * the limits do not reveal why it was refused.
   * @throws RateLimitedError, the same for accounts that exist and that do not
   * @throws NoAnswerError if the database does not count in time, which is a 503
   */
  async check<T>(limits: ProofLimits, attempted: Attempted, check: () => Promise<T>): Promise<T> {
    const { own, others } = await this.#countInTime(limits, attempted);
    try {
      const result = await check();
      await this.#giveBack(others, own);
      return result;
    } catch (error) {
      // The queue was full, so nothing was checked.
      if (error instanceof BusyError) await this.#giveBack([...own, ...others]);
      if (error instanceof InvalidCredentialError) await this.#warn();
      throw error;
    }
  }

  async #countInTime(limits: ProofLimits, attempted: Attempted): Promise<Budgets> {
    const counting = this.#count(limits, attempted);
    try {
      return await within(COUNT_TIMEOUT_MS, counting);
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      // Nothing is checked, so a count that arrives later is given back.
      void counting.then(
        ({ own, others }) => this.#giveBack([...own, ...others]),
        () => undefined,
      );
      throw markAsUnavailable(error);
    }
  }

  /** Never rejects: a count that cannot be given back must not change the answer. */
  async #giveBack(budgets: readonly Budget[], forgotten: readonly Budget[] = []): Promise<void> {
    try {
      for (const budget of forgotten) await this.counter.forget(budget);
      await this.counter.giveBack(budgets);
    } catch (err) {
      this.logger.error({ err }, 'attempts could not be given back and stay counted');
    }
  }

  async #count(limits: ProofLimits, attempted: Attempted): Promise<Budgets> {
    const budgets = await this.#budgets(limits, attempted);
    for (const budget of [...budgets.own, ...budgets.others])
      await this.counter.count(budget, { userId: budgets.userId });
    return budgets;
  }

  /** `own` are the budgets that only the person can use. An address counts before an account, so that it cannot use it up. */
  async #budgets(limits: ProofLimits, attempted: Attempted): Promise<Budgets> {
    const { ofAddress, ofAccount, ofKnownSource } = limits;
    if ('signInId' in attempted)
      return {
        userId: attempted.userId,
        own: [{ limit: ofKnownSource, subject: attempted.signInId }],
        others: [],
      };
    const account = 'email' in attempted ? attempted.email : attempted.userId;
    const { userId, client, known, name } = await this.sources.of(attempted);
    const fromKnown = { limit: ofKnownSource, subject: `${account} ${name}`, hidden: known === 'network' };
    if (known === 'device') return { userId, own: [fromKnown], others: [] };
    const ofClient = { limit: ofAddress, subject: client };
    const ofAll = { limit: ofAccount, subject: account, hidden: true };
    return { userId, own: [], others: [ofClient, known === 'network' ? fromKnown : ofAll] };
  }

  async #warn(): Promise<void> {
    const failures = await this.counter.tally({ limit: ALL_FAILURES, subject: 'all' });
    if (failures === undefined || failures < ALL_FAILURES.attempts) return;
    this.log.noticed('attempt.many-failures', { failures, windowSeconds: ALL_FAILURES.windowSeconds });
  }
}
