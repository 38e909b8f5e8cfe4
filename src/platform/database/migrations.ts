import type { MigrationInterface } from 'typeorm';

type Migration = new () => MigrationInterface;

const migrations = new Set<Migration>();

/** Declares migrations, in the room whose tables they make. They run in the order of the times in their names. */
export function defineMigrations(...more: Migration[]): void {
  for (const migration of more) migrations.add(migration);
}

/** Those of the rooms that are loaded. */
export const allMigrations = (): Migration[] => [...migrations];
