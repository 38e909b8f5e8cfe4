import pg from 'pg';
import type { DataSource } from 'typeorm';

/** "auth" in ASCII: the advisory lock of everybody who migrates this database. */
const LOCK = 0x61757468;

/**
 * Runs the migrations that are not in yet, all or none. Several nodes may start at once: a transaction of its own
 * connection holds an advisory lock meanwhile, which works behind a transaction pooler too.
 */
export async function migrate(dataSource: DataSource, url: string): Promise<void> {
  if (!(await dataSource.showMigrations())) return;
  const guard = new pg.Client({ connectionString: url });
  await guard.connect();
  try {
    await guard.query('BEGIN');
    await guard.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    await dataSource.runMigrations({ transaction: 'all' });
    await guard.query('COMMIT');
  } finally {
    await guard.end();
  }
}
