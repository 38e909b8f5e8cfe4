import type { INestApplicationContext } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { defineCommand } from '../commands/commands.js';

defineCommand('restored', {
  about: 'Ends everything that was issued before now. Run it after you restored a backup.',
  load: () => import('./restored.command.js'),
});

export interface Restoring {
  readonly manager: EntityManager;
  readonly now: () => Date;
  readonly app: INestApplicationContext;
}

export interface Ending {
  readonly table: string;
  /** In the plural, for the output: `API keys`. */
  readonly ends: string;
  /**
   * A statement that ends at most $1 rows, at the time $2. It runs under a lock that keeps others from writing. Or a
   * function that takes its own locks, ends all rows and returns their number.
   */
  readonly by: string | ((restoring: Restoring) => Promise<number>);
  /** The name for `--keep`, if an operator can decide to keep these rows. */
  readonly keep?: string;
  /** Ends before all others, for the lock order. */
  readonly first?: true;
}

const endings: Ending[] = [];
const staying = new Map<string, string>();

/**
 * Declares how the restored rows of a table end. A backup brings credentials back that were revoked or used after it.
 *
 * @example
 * ```ts
 * onRestored({
 *   table: 'invitations',
 *   ends: 'invitations',
 *   by: 'DELETE FROM invitations WHERE id IN (SELECT id FROM invitations LIMIT $1)',
 * });
 * ```
 */
export const onRestored = (ending: Ending): void => void endings.push(ending);

/** Declares why restored rows of a table with secrets, hashes or keys can stay. */
export const staysRestored = (table: string, reason: string): void => void staying.set(table, reason);

/** The endings of the loaded rooms, in the order of their locks. */
export const allEndings = (): Ending[] => [
  ...endings.filter(({ first }) => first),
  ...endings.filter(({ first }) => !first),
];

/** The declared tables. */
export const restoredTables = (): string[] => [...endings.map(({ table }) => table), ...staying.keys()];
