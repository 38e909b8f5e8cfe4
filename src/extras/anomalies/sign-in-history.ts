import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Instruments } from '../../platform/instruments/instruments.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { PeriodicWrite, UNWRITTEN } from '../../platform/lookup/periodic-write.js';
import { type Assessment, assessSignIn, type PastSignIn, type Source } from './assessment.js';

const INTERVAL_MS = 1_000;
const DAY_MS = 86_400_000;
/** The newest sign-ins of a person. Ended ones are kept for 30 days. */
const MAX_HISTORY = 200;
/** The end of a sign-in that its person did not make. It is not part of their history. */
export const REPORTED = 'reported by the person';

const HISTORY = `
  SELECT created_at AS at, ip, user_agent AS "userAgent" FROM sign_ins
  WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND end_reason IS DISTINCT FROM '${REPORTED}'
  ORDER BY id DESC LIMIT ${MAX_HISTORY}`;

// In the order of the ids, so that two nodes cannot wait for each other.
const ADD_FAILURES = `
  INSERT INTO sign_in_failures AS f (user_id, failures, last_at)
  SELECT u.id, v.failures, $3 FROM unnest($1::uuid[], $2::int[]) AS v (user_id, failures)
    JOIN users u ON u.id = v.user_id
  ORDER BY u.id
  ON CONFLICT (user_id) DO UPDATE SET last_at = excluded.last_at,
    failures = excluded.failures + CASE WHEN f.last_at > $4 THEN f.failures ELSE 0 END`;

export interface Attempted extends Source {
  readonly userId: string;
  readonly newDevice: boolean;
  /** The record of the sign-in, once it exists. */
  readonly signInId?: string;
}

/** Compares sign-ins with the earlier ones of their person. Failures are counted in memory and written every second. */
@Injectable()
export class SignInHistory implements OnApplicationShutdown {
  readonly #periodic: PeriodicWrite;
  #failures = new Map<string, number>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
    instruments: Instruments,
  ) {
    this.#periodic = new PeriodicWrite(
      INTERVAL_MS,
      () => this.#write(),
      (err) => logger.error({ err }, 'could not write refused sign-ins, will try again'),
    );
    instruments.add(UNWRITTEN, () => this.#failures.size, { queue: 'refused-sign-ins' });
  }

  addFailure(userId: string): void {
    this.#failures.set(userId, (this.#failures.get(userId) ?? 0) + 1);
  }

  /** Forgets the failures of a person, in the transaction of the sign-in that succeeds. */
  async forgetFailures(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('DELETE FROM sign_in_failures WHERE user_id = $1', [userId]);
  }

  /** Writes the counted failures now, so that the next assessment sees them. */
  async flush(): Promise<void> {
    if (this.#failures.size > 0) await this.#periodic.flush();
  }

  async assess(
    { userId, signInId, ...source }: Attempted,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<Assessment> {
    const history: PastSignIn[] = await manager.query(HISTORY, [userId, signInId ?? null]);
    const failed: { failures: number }[] = await manager.query(
      'SELECT failures FROM sign_in_failures WHERE user_id = $1 AND last_at > $2',
      [userId, this.clock.in(-DAY_MS)],
    );
    return assessSignIn(history, { ...source, at: this.clock.now(), failures: failed[0]?.failures ?? 0 });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#periodic.stop();
  }

  async #write(): Promise<void> {
    if (this.#failures.size === 0) return;
    const written = this.#failures;
    this.#failures = new Map();
    try {
      const parameters = [
        [...written.keys()],
        [...written.values()],
        this.clock.now(),
        this.clock.in(-DAY_MS),
      ];
      await this.dataSource.query(ADD_FAILURES, parameters);
    } catch (error) {
      for (const [userId, failures] of written)
        this.#failures.set(userId, (this.#failures.get(userId) ?? 0) + failures);
      throw error;
    }
  }
}
