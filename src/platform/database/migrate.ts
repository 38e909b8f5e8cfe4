import { setTimeout as sleep } from 'node:timers/promises';
import { type DataSource, type Migration, MigrationExecutor, type QueryRunner } from 'typeorm';
import { StartError } from '../config/start-error.js';
import { sqlStateOf } from './retry-transaction.js';

/** "auth" in ASCII: the advisory lock for migrations. */
const LOCK = 0x61757468;

const LOCK_NOT_AVAILABLE = '55P03';
/**
 * While a migration waits for the lock of a table, all requests that use the table wait too. They occupy the pool, in which
 * others wait for at most 2 s.
 */
const PATIENCE = '500ms';
const ATTEMPTS = 60;
const PAUSE_MS = 1_000;

/**
 * Runs all pending migrations and returns them. One transaction holds the lock and all changes: nodes that start together
 * run them once, and a crash leaves neither. If a table stays locked, they start again, so that requests can go on.
 */
export async function migrate(dataSource: DataSource): Promise<Migration[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await underLock(dataSource, (executor) => executor.executePendingMigrations());
    } catch (error) {
      if (attempt === ATTEMPTS || sqlStateOf(error) !== LOCK_NOT_AVAILABLE) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** Reverts the last migration. */
export function revertLast(dataSource: DataSource): Promise<void> {
  return underLock(dataSource, (executor) => executor.undoLastMigration());
}

async function underLock<T>(
  dataSource: DataSource,
  work: (executor: MigrationExecutor) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    // With a stricter default, it would not see rows that were committed while it waited for the lock.
    await runner.startTransaction('READ COMMITTED');
    // The role can have a limit for the queries of requests.
    await runner.query('SET LOCAL statement_timeout = 0');
    await runner.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    // Not before: the lock above can be held for as long as the migrations of another node take.
    await runner.query(`SET LOCAL lock_timeout = '${PATIENCE}'`);
    await refuseOutdated(runner);
    const executor = new MigrationExecutor(dataSource, runner);
    executor.transaction = 'all';
    const result = await work(executor);
    await runner.commitTransaction();
    return result;
  } catch (error) {
    await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  } finally {
    await runner.release();
  }
}

/** The last migration before 0.1.0. */
const LAST_OUTDATED = 1795300000020;

/** @throws StartError for a database of a version before 0.1.0 */
async function refuseOutdated(runner: QueryRunner): Promise<void> {
  if (!(await runner.hasTable('migrations'))) return;
  const outdated: unknown[] = await runner.query('SELECT 1 FROM migrations WHERE timestamp <= $1 LIMIT 1', [
    LAST_OUTDATED,
  ]);
  if (outdated.length > 0)
    throw new StartError(
      'The database was created by a version before 0.1.0 and cannot be migrated. Set DATABASE_URL to an empty database. If you do not set DATABASE_URL, delete the folder DATA_DIRECTORY (.data).',
    );
}
