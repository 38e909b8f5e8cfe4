import type { EntityManager } from 'typeorm';

/** Runs a DELETE or UPDATE. Returns the number of rows. */
export async function affected(manager: EntityManager, sql: string, parameters: unknown[]): Promise<number> {
  const [, count]: [unknown, number] = await manager.query(sql, parameters);
  return count;
}
