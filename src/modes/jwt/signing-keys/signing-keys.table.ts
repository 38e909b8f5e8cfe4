import { type EntityManager, In } from 'typeorm';
import type { Revocation } from '../../../platform/revocations/revocations.service.js';
import { type SigningAlgorithm, SigningKey } from './signing-key.entity.js';
import { makePair } from './signing-key.pair.js';

/** "keys" in ASCII: the advisory lock of everybody who changes signing keys, to the end of the transaction. */
const LOCK = 0x6b657973;

/** Makes all nodes read the keys anew. Which they are is in the table. */
export const KEYS_CHANGED: Revocation = { kind: 'signing-key', subject: 'changed' };

export async function lockKeys(manager: EntityManager): Promise<void> {
  await manager.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
}

export interface KeyPlan {
  readonly algorithm: SigningAlgorithm;
  /** New private keys are sealed under it. */
  readonly secret: string;
  readonly now: Date;
}

/**
 * Sees to it that one key of the algorithm signs and one is next: where none signs, the next one does from now on.
 * The caller holds the lock. False if nothing was missing.
 */
export async function fillKeys(
  manager: EntityManager,
  { algorithm, secret, now }: KeyPlan,
): Promise<boolean> {
  const keys = await manager.findBy(SigningKey, { algorithm, status: In(['active', 'next']) });
  const add = async (status: 'active' | 'next') =>
    manager.insert(SigningKey, { ...(await makePair(algorithm, secret)), status, createdAt: now });

  let next = keys.find((key) => key.status === 'next');
  if (keys.some((key) => key.status === 'active')) {
    if (next) return false;
  } else if (next) {
    await manager.update(SigningKey, { kid: next.kid }, { status: 'active' });
    next = undefined;
  } else await add('active');
  if (!next) await add('next');
  return true;
}
