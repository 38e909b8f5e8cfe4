import type { MigrationInterface } from 'typeorm';

type Migration = new () => MigrationInterface;

const migrations = new Set<Migration>();

/** Declares the migrations of a room. They run in the order of the timestamps in their names. */
export function defineMigrations(...more: Migration[]): void {
  for (const migration of more) migrations.add(migration);
}

/** The migrations of all loaded rooms. */
export const allMigrations = (): Migration[] => [...migrations];
