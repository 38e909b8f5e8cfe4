import { z } from 'zod';
import { decodeStrictly } from '../../platform/crypto/strict-decoding.js';
import { integerParameter } from '../http/validation.js';

export const DEFAULT_LIMIT = 20;
export const MAX_LIMIT = 100;

const decode = (cursor: string) => decodeStrictly(cursor, 'base64url')?.toString();
const encode = (id: string) => Buffer.from(id).toString('base64url');

/** `?limit=` and `?cursor=` of every list. A cursor is the encoded id of the last item of the previous page. */
export const ListQuery = z.strictObject({
  limit: integerParameter(1, MAX_LIMIT).default(DEFAULT_LIMIT).describe('The maximum number of items'),
  cursor: z
    .string()
    .max(100)
    .refine(
      (cursor) => z.uuid().safeParse(decode(cursor)).success,
      'must be a `nextCursor` from a previous page',
    )
    .optional()
    .meta({ description: 'The `nextCursor` of the previous page' }),
});
export type ListQuery = z.infer<typeof ListQuery>;

export interface PageQuery {
  readonly limit: number;
  /** The page starts after this id. Ids are UUIDv7, so descending order is newest first. */
  readonly after?: string;
}

export const pageQuery = ({ limit, cursor }: ListQuery): PageQuery => ({
  limit,
  ...(cursor !== undefined && { after: decode(cursor)! }),
});

/** Makes a page from up to `limit + 1` rows. The extra row shows that there is another page. */
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
      items: z.array(item).describe('The items of this page'),
      nextCursor: z.string().nullable().describe('The `cursor` of the next page, or null on the last page'),
    })
    .meta({ id, description: 'A page of a list' });
