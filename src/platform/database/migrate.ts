import { type DataSource, type Migration, MigrationExecutor } from 'typeorm';

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
