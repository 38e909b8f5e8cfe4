import type { EntityManager } from 'typeorm';
import { defineProblem, ProblemError } from '../../platform/problems/problem.js';

const LAST_ADMINISTRATOR = defineProblem({
  slug: 'last-administrator',
  status: 409,
  title: 'Last administrator',
  about:
    'The change would leave the service without an active administrator. Make another user an administrator first.',
});

export class LastAdministratorError extends ProblemError {
  constructor() {
    super(LAST_ADMINISTRATOR, 'Make another user an administrator first.');
  }
}

/**
 * Locks these users and all administrators. Parallel changes then run one after the other, so two administrators cannot
 * both remove each other or both resign.
 */
export async function lockWithAdministrators(manager: EntityManager, ids: readonly string[]): Promise<void> {
  await manager.query(
    `SELECT id FROM users WHERE id = ANY($1::uuid[]) OR 'admin' = ANY(roles) ORDER BY id FOR NO KEY UPDATE`,
    [ids],
  );
}

/** To be called after the change of a user who had these roles. @throws LastAdministratorError */
export async function refuseWithoutAdministrator(
  manager: EntityManager,
  rolesBefore: readonly string[],
): Promise<void> {
  if (!rolesBefore.includes('admin')) return;
  const left: unknown[] = await manager.query(
    `SELECT 1 FROM users WHERE 'admin' = ANY(roles) AND status = 'active' LIMIT 1`,
  );
  if (left.length === 0) throw new LastAdministratorError();
}
