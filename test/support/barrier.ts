import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import type { Answer } from './client.js';
import type { TestServer } from './server.js';
import { PATIENCE_MS, until } from './until.js';

/** A lock that the test holds in a transaction of its own, so that whoever comes next waits in PostgreSQL. */
export class Barrier {
  private constructor(
    private readonly holder: pg.Client,
    private readonly watcher: pg.Client,
  ) {}

  static async hold(url: string, lock: string, parameters: unknown[]): Promise<Barrier> {
    const [holder, watcher] = [
      new pg.Client({ connectionString: url }),
      new pg.Client({ connectionString: url }),
    ];
    await Promise.all([holder.connect(), watcher.connect()]);
    await holder.query('BEGIN');
    await holder.query(lock, parameters);
    return new Barrier(holder, watcher);
  }

  /** Resolves when `count` transactions wait for a lock in this database. */
  async waiting(count: number): Promise<void> {
    const patience = Date.now() + PATIENCE_MS;
    for (;;) {
      const { rows } = await this.watcher.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      if (rows[0]!.n >= count) return;
      if (Date.now() > patience)
        throw new Error(`${rows[0]!.n} of ${count} transactions wait at the barrier`);
      await setTimeout(2);
    }
  }

  async release(): Promise<void> {
    await this.holder.query('COMMIT');
    await Promise.all([this.holder.end(), this.watcher.end()]);
  }
}

/** Resolves when a waiting client has looked for a deadlock. A transaction looks once, after deadlock_timeout. */
export const pastDeadlockCheck = (server: TestServer, client: pg.Client): Promise<void> =>
  until(async () => {
    const [{ n }] = await server.query(
      `SELECT count(*)::int AS n FROM pg_locks
       WHERE NOT granted AND pid = $1 AND clock_timestamp() - waitstart > 2 * current_setting('deadlock_timeout')::interval`,
      [(client as unknown as { processID: number }).processID],
    );
    return n > 0;
  });

export interface Meeting {
  /** A statement that takes the lock, such as `SELECT … FOR UPDATE`. */
  readonly lock: string;
  readonly parameters?: unknown[];
}

/** Requests meet at a row. */
export const atRow = (table: string, id: string): Meeting => ({
  lock: `SELECT 1 FROM ${table} WHERE id = $1 FOR UPDATE`,
  parameters: [id],
});

/**
 * Sends each request when the one before waits at the lock, and lets them go when all do: so they meet in the middle
 * of their transactions, and get the lock in the order given.
 */
export async function meet(
  server: TestServer,
  { lock, parameters = [] }: Meeting,
  requests: readonly (() => Promise<Answer>)[],
): Promise<Answer[]> {
  const barrier = await Barrier.hold(server.config.DATABASE_URL!, lock, parameters);
  const answers: Promise<Answer>[] = [];
  try {
    for (const request of requests) {
      answers.push(request());
      await barrier.waiting(answers.length);
    }
  } finally {
    await barrier.release();
    await Promise.allSettled(answers);
  }
  return Promise.all(answers);
}
