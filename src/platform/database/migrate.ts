import { type DataSource, type Migration, MigrationExecutor, type QueryRunner } from 'typeorm';
import { StartError } from '../config/start-error.js';

/** "auth" in ASCII: the advisory lock of everybody who migrates this database. */
const LOCK = 0x61757468;

/**
 * Runs the migrations that are not in yet, all or none, and returns them. Several nodes may start at once: one
 * transaction holds the lock and the migrations, so that who comes second sees what the first one did, and a crash
 * leaves neither.
 */
export function migrate(dataSource: DataSource): Promise<Migration[]> {
  return underLock(dataSource, (executor) => executor.executePendingMigrations());
}

/** Takes the last migration back. */
export function revertLast(dataSource: DataSource): Promise<void> {
  return underLock(dataSource, (executor) => executor.undoLastMigration());
}

async function underLock<T>(
  dataSource: DataSource,
  work: (executor: MigrationExecutor) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    // Said, since with another default it would not see what was committed while it waited.
    await runner.startTransaction('READ COMMITTED');
    // The role may have a limit for the queries of requests.
    await runner.query('SET LOCAL statement_timeout = 0');
    await runner.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
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

/** The last migration of the versions before each room had one of its own. */
const LAST_OUTDATED = 1795300000020;

/** @throws StartError for a database that these migrations cannot bring up to date */
async function refuseOutdated(runner: QueryRunner): Promise<void> {
  if (!(await runner.hasTable('migrations'))) return;
  const outdated: unknown[] = await runner.query('SELECT 1 FROM migrations WHERE timestamp <= $1 LIMIT 1', [
    LAST_OUTDATED,
  ]);
  if (outdated.length > 0)
    throw new StartError(
      'The database was made by a version before 0.1.0, and cannot be brought up to date. Let DATABASE_URL name an empty database; without DATABASE_URL, delete the folder that DATA_DIRECTORY names (.data).',
    );
}
