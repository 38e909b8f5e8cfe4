import type { EntityManager } from 'typeorm';
import { StartError } from '../../platform/config/start-error.js';
import { Chain } from '../../platform/crypto/chain.js';
import { GENESIS, headOf, linkAt, PURPOSE, SEAL_COLUMNS, type Seal, textOf, TEXT } from './seal.js';

export interface Verified {
  readonly seals: number;
  readonly events: number;
}

/** The chain of seals does not fit the stored events. */
export class BrokenSealError extends StartError {
  override readonly name = 'BrokenSealError';
}

/** A head of the chain from the log. */
export interface KnownHead {
  readonly number: number;
  readonly head: string;
}

/**
 * Compares all events with their seals. The transaction must see one snapshot.
 * @throws BrokenSealError that names the first row that was changed, removed or reordered
 */
export async function verifyAudit(
  manager: EntityManager,
  secrets: readonly string[],
  known?: KnownHead,
): Promise<Verified> {
  const chains = secrets.map((secret) => new Chain(secret, PURPOSE));
  const retired = await retiredBefore(manager);
  let head = GENESIS;
  let number = 0;
  let events = 0;
  for (let seal: Seal | undefined; (seal = await sealAfter(manager, number));) {
    number += 1;
    await verifySeal(manager, { seal, number, previous: head, chains, retired });
    head = headOf(seal);
    if (known?.number === number && known.head !== head.toString('hex'))
      throw new BrokenSealError(`Seal ${number} was replaced: its head is not the expected one.`);
    events += seal.eventIds.length;
  }
  if (known && known.number > number)
    throw new BrokenSealError(
      `Seal ${number + 1} was removed: the last seal must be ${known.number} or later.`,
    );
  await verifyQueue(manager);
  return { seals: number, events };
}

interface Step {
  readonly seal: Seal;
  readonly number: number;
  readonly previous: Buffer;
  readonly chains: readonly Chain[];
  readonly retired: string;
}

async function verifySeal(manager: EntityManager, { seal, number, previous, chains, retired }: Step) {
  if (seal.number !== number) throw new BrokenSealError(`Seal ${number} was removed.`);
  const texts = await textsOf(manager, seal.eventIds);
  const chain = chains.find((chain) => chain.fits(linkAt(seal, 0), previous, textOf(seal)));
  for (const [i, id] of seal.eventIds.entries()) {
    const text = texts.get(id);
    const where = `Event ${id} (seal ${number}, position ${i + 1})`;
    if (text === undefined && id >= retired) throw new BrokenSealError(`${where} was removed.`);
    const fits = (chain: Chain) => chain.fits(linkAt(seal, i + 1), linkAt(seal, i), text!);
    if (text !== undefined && !(chain ? fits(chain) : chains.some(fits)))
      throw new BrokenSealError(`${where} was changed or reordered.`);
  }
  if (!chain)
    throw new BrokenSealError(
      `Seal ${number} was changed, or its secret is no longer in ENCRYPTION_SECRETS. Its first event is ${seal.eventIds[0] ?? 'none'}.`,
    );
}

/** Each event must have been sealed, or wait to be sealed. */
async function verifyQueue(manager: EntityManager): Promise<void> {
  const [lost]: { id: string }[] = await manager.query(
    `SELECT id FROM audit_events EXCEPT SELECT unnest(event_ids) FROM audit_seals EXCEPT SELECT event_id FROM audit_unsealed
     ORDER BY id LIMIT 1`,
  );
  if (lost) throw new BrokenSealError(`Event ${lost.id} has lost its seal.`);
  const [missing]: { id: string }[] = await manager.query(
    `SELECT event_id AS id FROM audit_unsealed EXCEPT SELECT id FROM audit_events ORDER BY id LIMIT 1`,
  );
  if (missing) throw new BrokenSealError(`Event ${missing.id} was removed before it was sealed.`);
}

async function sealAfter(manager: EntityManager, number: number): Promise<Seal | undefined> {
  const [seal]: Seal[] = await manager.query(
    `SELECT ${SEAL_COLUMNS} FROM audit_seals WHERE number > $1 ORDER BY number LIMIT 1`,
    [number],
  );
  return seal;
}

/** A seal with another bound is found to be changed when its turn comes. */
async function retiredBefore(manager: EntityManager): Promise<string> {
  const [{ bound }]: [{ bound: string | null }] = await manager.query(
    'SELECT max(retired_before::text) AS bound FROM audit_seals',
  );
  return bound ?? '';
}

async function textsOf(manager: EntityManager, ids: readonly string[]): Promise<Map<string, string>> {
  const rows: { id: string; text: string }[] = await manager.query(
    `SELECT e.id, ${TEXT} AS text FROM audit_events e WHERE e.id = ANY($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map(({ id, text }) => [id, text]));
}
