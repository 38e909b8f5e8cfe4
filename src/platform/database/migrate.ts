import { setTimeout as sleep } from 'node:timers/promises';
import { type DataSource, type Migration, MigrationExecutor, type QueryRunner } from 'typeorm';
import { StartError } from '../config/start-error.js';
import { sqlStateOf } from './retry-transaction.js';

/** "auth" in ASCII: the advisory lock for migrations. */
const LOCK = 0x61757468;

const LOCK_NOT_AVAILABLE = '55P03';
/**
 * While a migration waits for a table lock, requests that use the table wait too. They occupy the pool, where other requests
 * wait for at most 2 s.
 */
const PATIENCE = '500ms';
const ATTEMPTS = 60;
const PAUSE_MS = 1_000;

/**
 * Runs all pending migrations and returns them. One transaction holds the lock and all changes: nodes that start together
 * run them once, and a crash leaves neither.
 */
export const migrate = (dataSource: DataSource): Promise<Migration[]> =>
  patiently(() => underLock(dataSource, (executor) => executor.executePendingMigrations()));

/** The names of the migrations of this version that have not run. */
export async function pendingMigrations(dataSource: DataSource): Promise<string[]> {
  const rows: { name: string }[] = await dataSource.query('SELECT name FROM migrations');
  const done = new Set(rows.map(({ name }) => name));
  return dataSource.migrations
    .map(({ constructor, name }) => name ?? constructor.name)
    .filter((name) => !done.has(name));
}

/** Reverts the last migration. */
export const revertLast = (dataSource: DataSource): Promise<void> =>
  patiently(() => underLock(dataSource, (executor) => executor.undoLastMigration()));

/** If a table stays locked, the transaction ends and starts again, so that requests do not wait. @throws StartError */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE) throw error;
      if (attempt === ATTEMPTS)
        throw new StartError(
          'A table stayed locked for a minute, so no migration ran. End the long transaction (pg_stat_activity), then start again.',
        );
      await sleep(PAUSE_MS);
    }
  }
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
    // Set after the advisory lock, because another node can hold that lock during all its migrations.
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
