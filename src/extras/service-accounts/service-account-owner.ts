import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { defineKeyOwner } from '../../modes/api-keys/api-key.owners.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { ServiceAccount } from './service-account.entity.js';

/** Locks a service account until the transaction ends. @throws NotFoundError if the id is not a service account */
export async function holdServiceAccount(manager: EntityManager, id: string): Promise<void> {
  const rows: unknown[] = await manager.query(
    `SELECT 1 FROM subjects WHERE id = $1 AND kind = 'service-account' FOR NO KEY UPDATE`,
    [id],
  );
  if (rows.length === 0) throw new NotFoundError('There is no such service account.');
}

defineKeyOwner({
  kind: 'service-account',
  table: 'service_accounts',
  columns: ['audience'],
  option: {
    name: 'service-account',
    example: '01890000-0000-7000-8000-000000000000',
    meaning: 'the id of an active service account',
  },
  async find(manager, id) {
    const isThere =
      z.uuid().safeParse(id).success && (await manager.existsBy(ServiceAccount, { id, status: 'active' }));
    if (!isThere) return undefined;
    return {
      ownerId: id,
      facts: { serviceAccountId: id },
      hold: (manager) => holdServiceAccount(manager, id),
    };
  },
});
