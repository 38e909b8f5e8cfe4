import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** A connection that is idle publishes its counts after 10 s at the latest. */
const SETTLED_MS = 11_000;

/** Counts transactions of the database. A look-up is one, and so is each batch that is written afterwards. */
export class QueryCount {
  private constructor(private readonly database: pg.Client) {}

  static async open(url: string): Promise<QueryCount> {
    const database = new pg.Client({ connectionString: url });
    await database.connect();
    return new QueryCount(database);
  }

  async during(work: () => Promise<void>): Promise<number> {
    const before = await this.#now();
    await work();
    // Each look is one too.
    return (await this.#now()) - before - 1;
  }

  async #now(): Promise<number> {
    await sleep(SETTLED_MS);
    const { rows } = await this.database.query<{ count: string }>(
      'SELECT xact_commit AS count FROM pg_stat_database WHERE datname = current_database()',
    );
    return Number(rows[0]!.count);
  }

  close(): Promise<void> {
    return this.database.end();
  }
}
