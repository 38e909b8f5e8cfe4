import { type DataSource, type EntityManager, QueryFailedError } from 'typeorm';

export const FOREIGN_KEY_VIOLATION = '23503';
export const UNIQUE_VIOLATION = '23505';
export const UNDEFINED_TABLE = '42P01';
export const DEADLOCK = '40P01';
const ATTEMPTS = 3;

/** The SQLSTATE of a failed query. Undefined for any other error. */
export const sqlStateOf = (error: unknown): string | undefined =>
  error instanceof QueryFailedError ? (error.driverError as { code?: string }).code : undefined;

/** Runs a transaction, and runs it again if it fails with one of these SQLSTATEs: three times at most. */
export async function retryTransaction<T>(
  dataSource: DataSource,
  states: readonly string[],
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await dataSource.transaction(work);
    } catch (error) {
      if (attempt === ATTEMPTS || !states.includes(sqlStateOf(error) ?? '')) throw error;
    }
  }
}
