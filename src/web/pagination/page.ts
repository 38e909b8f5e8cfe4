import { z } from 'zod';
import { decodeStrictly } from '../../platform/crypto/strict-decoding.js';
import { integerParameter } from '../http/validation.js';

export const DEFAULT_LIMIT = 20;
export const MAX_LIMIT = 100;

const decode = (cursor: string) => decodeStrictly(cursor, 'base64url')?.toString();
const encode = (id: string) => Buffer.from(id).toString('base64url');

/** `?limit=` and `?cursor=` of every list. A cursor is the id that the page before ended with, in a form not to be relied on. */
export const ListQuery = z.strictObject({
  limit: integerParameter(1, MAX_LIMIT).default(DEFAULT_LIMIT).describe('How many items the page can have'),
  cursor: z
    .string()
    .max(100)
    .refine((cursor) => z.uuid().safeParse(decode(cursor)).success, 'is no cursor that a list has answered')
    .optional()
    .meta({ description: '`nextCursor` of the page before' }),
});
export type ListQuery = z.infer<typeof ListQuery>;

export interface PageQuery {
  readonly limit: number;
  /** The list goes on behind this id; ids are UUIDv7, so newest first is descending. */
  readonly after?: string;
}

export const pageQuery = ({ limit, cursor }: ListQuery): PageQuery => ({
  limit,
  ...(cursor !== undefined && { after: decode(cursor)! }),
});

/** Makes a page of up to `limit + 1` rows: the one too many tells that there are more. */
export function toPage<Row extends { id: string }, Item>(
  rows: Row[],
  limit: number,
  show: (row: Row) => Item,
) {
  const shown = rows.slice(0, limit);
  return { items: shown.map(show), nextCursor: rows.length > limit ? encode(shown.at(-1)!.id) : null };
}

/** The schema of a list's answer. */
export const pageOf = <T extends z.ZodType>(item: T, id: string) =>
  z
    .object({
      items: z.array(item).describe('What is on this page'),
      nextCursor: z.string().nullable().describe('The `cursor` of the next page; null on the last one'),
    })
    .meta({ id, description: 'A page of a list' });
