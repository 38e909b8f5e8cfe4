import { type EntityManager, In } from 'typeorm';
import type { Revocation } from '../../../platform/revocations/revocations.service.js';
import { type SigningAlgorithm, SigningKey } from './signing-key.entity.js';
import { makePair } from './signing-key.pair.js';

/** "keys" in ASCII: the advisory lock for changes of signing keys, held until the transaction ends. */
const LOCK = 0x6b657973;

/** Makes all nodes read the keys again. */
export const KEYS_CHANGED: Revocation = { kind: 'signing-key', subject: 'changed' };

export async function lockKeys(manager: EntityManager): Promise<void> {
  await manager.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
}

export interface KeyPlan {
  readonly algorithm: SigningAlgorithm;
  /** Seals new private keys. */
  readonly secret: string;
  readonly now: Date;
}

/**
 * Ensures that the algorithm has an active key and a next key. If there is no active key, the next one becomes active.
 * The caller must hold the lock. Returns false if no key was missing.
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
