import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock } from '../clock/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import { sha256 } from '../crypto/secret.js';
import { Counts, defineCounter, Instruments } from '../instruments/instruments.js';
import { clientOf } from '../logging/client-of.js';
import { requestContext } from '../logging/request-context.js';
import { type EventFacts, SecurityLog } from '../logging/security-log.js';
import type { AttemptLimit } from './attempt-limit.js';
import { COUNT, GIVE_BACK } from './attempt-counts.sql.js';
import { BlockedSubjects } from './blocked-subjects.js';
import { tellRateLimit } from './rate-limit-headers.js';
import { RateLimitedError } from './rate-limits.errors.js';

const LIMITED = defineCounter(
  'rate_limited_total',
  'Requests, mails and attempts that a limit refused, by the name of the limit',
  'limit',
);

/** A limit, and whom it counts for: an account, an address, a device. */
export interface Budget {
  readonly limit: AttemptLimit;
  readonly subject: string;
  /** The answer has no RateLimit headers for it: they would reveal what others do, or that an account exists. */
  readonly hidden?: boolean;
}

/** A row of COUNT. */
interface Count {
  /** False if the attempt is refused. Refused attempts do not count. */
  readonly counted: boolean;
  readonly attempts: number;
  /** The end of the window, or of the wait. */
  readonly until: Date;
}

/**
 * Counts attempts in PostgreSQL, so that the counts hold on all nodes and after a restart. An attempt is counted before its
 * check, in one atomic statement, so that parallel guesses cannot exceed a limit (ASVS 6.3.1, 2.4.1).
 */
@Injectable()
export class AttemptCounter {
  readonly #blocked = new BlockedSubjects();
  /** Refusals by the name of the limit, for the instruments. */
  readonly limited = new Counts();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
    instruments: Instruments,
  ) {
    instruments.addAll(LIMITED, () => this.limited.by('limit'));
  }

  /**
   * Counts an attempt, and adds RateLimit headers to the answer unless the budget is hidden.
   * @param facts for the log
   * @throws RateLimitedError
   */
  async count(budget: Budget, facts: EventFacts = {}): Promise<void> {
    if (!this.config.RATE_LIMITS) return;
    const { name, attempts: quota, windowSeconds } = budget.limit;
    const { counted, attempts, until } = await this.#count(budget);
    const seconds = Math.max(1, Math.ceil((until.getTime() - this.clock.now().getTime()) / 1000));
    const remaining = counted ? quota - attempts : 0;
    if (!budget.hidden) tellRateLimit(name, { quota, windowSeconds, remaining, seconds });
    if (counted) return;
    this.limited.add(name);
    this.log.refused('attempt.limited', { limit: name, retryAfter: seconds, ...facts });
    throw new RateLimitedError(seconds, name);
  }

  /**
   * Counts a failed attempt for the client address, after the check of a secret that nobody can guess. A valid secret makes no
   * query, and passes also from an address over the limit. The answer has no RateLimit headers: it must not reveal the reason.
   * @throws RateLimitedError, which takes the place of the refusal
   */
  async failed(limit: AttemptLimit): Promise<void> {
    await this.count({ limit, subject: clientOf(requestContext()?.ip ?? ''), hidden: true });
  }

  /** Counts something that is not a request, such as a mail. Returns whether it is within the limit. */
  async allows(budget: Budget, manager?: EntityManager): Promise<boolean> {
    if (!this.config.RATE_LIMITS) return true;
    const { counted } = await this.#count(budget, manager);
    if (counted) return true;
    this.limited.add(budget.limit.name);
    this.log.refused('attempt.limited', { limit: budget.limit.name });
    return false;
  }

  /** Counts without a limit. Returns the number in the window, or undefined while the subject must wait. */
  async tally(budget: Budget): Promise<number | undefined> {
    if (!this.config.RATE_LIMITS) return undefined;
    const { counted, attempts } = await this.#count(budget);
    return counted ? attempts : undefined;
  }

  /** Takes back attempts that succeeded. Attempts of others stay counted. */
  async giveBack(budgets: readonly Budget[]): Promise<void> {
    if (!this.config.RATE_LIMITS) return;
    await this.dataSource.query(GIVE_BACK, [budgets.map(hashOf), this.clock.now()]);
  }

  /** Forgets all attempts of a subject. */
  async forget(budget: Budget): Promise<void> {
    if (!this.config.RATE_LIMITS) return;
    await this.dataSource.query('DELETE FROM attempt_counts WHERE subject = $1', [hashOf(budget)]);
  }

  async #count(budget: Budget, manager: EntityManager = this.dataSource.manager): Promise<Count> {
    const now = this.clock.now();
    const subject = hashOf(budget);
    const blockedUntil = this.#blocked.until(subject, now);
    if (blockedUntil) return { counted: false, attempts: budget.limit.attempts, until: blockedUntil };
    const { attempts, windowSeconds, waits } = budget.limit;
    const waiting = [waits?.firstSeconds ?? null, waits?.longestSeconds ?? null];
    const count = await this.#query(manager, [subject, now, attempts, windowSeconds, ...waiting]);
    if (!count.counted) this.#blocked.add(subject, count.until, now);
    return count;
  }

  async #query(manager: EntityManager, parameters: unknown[]): Promise<Count> {
    const [count]: Count[] = await manager.query(COUNT, parameters);
    // A parallel attempt reached the limit after this statement began, so the next statement sees it.
    return count ?? this.#query(manager, parameters);
  }
}

const hashOf = ({ limit, subject }: Budget): Buffer => sha256(`${limit.name} ${subject}`);
