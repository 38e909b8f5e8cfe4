import { z } from 'zod';
import { ListQuery, pageOf } from '../../../web/pagination/page.js';
import type { SigningKey } from './signing-key.entity.js';

export const SigningKeyView = z
  .object({
    kid: z.string().meta({ description: 'RFC 7638 thumbprint' }),
    algorithm: z.enum(['EdDSA', 'ES256']).describe('The `alg` of its signatures'),
    status: z.enum(['next', 'active', 'retired']).describe('`active` signs; all three verify'),
    createdAt: z.iso.datetime().describe('When it was created'),
    retiredAt: z.iso.datetime().nullable().describe('When it stopped signing'),
  })
  .meta({ id: 'SigningKey', description: 'A key that signs access tokens' });
export type SigningKeyView = z.infer<typeof SigningKeyView>;

export const SigningKeyList = pageOf(SigningKeyView, 'SigningKeyList');
export type SigningKeyList = z.infer<typeof SigningKeyList>;

/** Like the query of all lists, but a cursor is a `kid`. */
export const SigningKeyQuery = ListQuery.extend({
  cursor: z
    .string()
    .regex(/^[\w-]{43}$/, 'must be a `nextCursor` from a previous page')
    .optional()
    .meta({ description: 'The `nextCursor` of the previous page' }),
});
export type SigningKeyQuery = z.infer<typeof SigningKeyQuery>;

const show = ({ kid, algorithm, status, createdAt, retiredAt }: SigningKey): SigningKeyView => ({
  kid,
  algorithm,
  status,
  createdAt: createdAt.toISOString(),
  retiredAt: retiredAt?.toISOString() ?? null,
});

/** There are only a few keys. If the key of the cursor was deleted, the list starts again, so that no key is missed. */
export function showSigningKeys(keys: SigningKey[], { limit, cursor }: SigningKeyQuery): SigningKeyList {
  const start = cursor === undefined ? 0 : keys.findIndex(({ kid }) => kid === cursor) + 1;
  const shown = keys.slice(start, start + limit);
  return {
    items: shown.map(show),
    nextCursor: keys.length > start + limit ? shown.at(-1)!.kid : null,
  };
}

export const Jwks = z
  .object({
    keys: z
      .array(
        z.object({
          kty: z.string().describe('Key type'),
          crv: z.string().describe('Curve'),
          x: z.string().describe('x coordinate, or the whole key for EdDSA'),
          y: z.string().optional().describe('y coordinate, for ES256 only'),
          kid: z.string().describe('The `kid` of the tokens that it signed'),
          alg: z.string().describe('The `alg` of the tokens that it signed'),
          use: z.literal('sig').describe('The key verifies signatures'),
        }),
      )
      .describe('The keys that verify tokens'),
  })
  .meta({ id: 'Jwks', description: 'RFC 7517' });
export type Jwks = z.infer<typeof Jwks>;
