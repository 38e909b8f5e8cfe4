import { type Chain, LINK_BYTES } from '../../platform/crypto/chain.js';

export const PURPOSE = 'audit-seal';

/** A row of audit_seals, without its links. */
export interface SealHeader {
  /** Counts from 1, without gaps. */
  readonly number: number;
  readonly sealedAt: Date;
  /** Retention removed all events below this id. */
  readonly retiredBefore: string | null;
  readonly eventIds: readonly string[];
}

export interface Seal extends SealHeader {
  /** The first link is of the header, and one for each event follows. */
  readonly links: Buffer;
}

/** An event with its columns as one text. */
export interface SealedText {
  readonly id: string;
  readonly text: string;
}

/** In SQL: all columns of an event `e` as one text. */
export const TEXT = `json_build_array(e.id, extract(epoch FROM e.at), e.type, e.result, e.reason, e.subject_id, e.actor_id, e.mode,
  e.credential_id, e.requests, e.details)::text`;

/** In SQL: the columns of a Seal. */
export const SEAL_COLUMNS = `number::float8 AS number, sealed_at AS "sealedAt", retired_before AS "retiredBefore",
  event_ids AS "eventIds", links`;

export const headOf = ({ links }: Seal): Buffer => links.subarray(-LINK_BYTES);

/** The head before the first seal. */
export const GENESIS: Buffer = Buffer.alloc(LINK_BYTES);

export const textOf = ({ number, sealedAt, retiredBefore, eventIds }: SealHeader): string =>
  JSON.stringify([number, sealedAt.getTime(), retiredBefore, eventIds]);

/** Seals events after the seal whose head is `previous`. */
export function makeSeal(
  chain: Chain,
  previous: Buffer,
  header: Omit<SealHeader, 'eventIds'>,
  events: readonly SealedText[],
): Seal {
  const whole = { ...header, eventIds: events.map(({ id }) => id) };
  const links = [chain.link(previous, textOf(whole))];
  for (const { text } of events) links.push(chain.link(links.at(-1)!, text));
  return { ...whole, links: Buffer.concat(links) };
}

/** The link of the header (0), or of an event (from 1). */
export const linkAt = ({ links }: Seal, position: number): Buffer =>
  links.subarray(position * LINK_BYTES, (position + 1) * LINK_BYTES);
