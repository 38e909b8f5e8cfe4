import { z } from 'zod';
import { ListQuery, pageOf } from '../../../web/pagination/page.js';
import type { SigningKey } from './signing-key.entity.js';

/** Nothing of the private key, and of the public one only its name. */
export const SigningKeyView = z
  .object({
    kid: z.string().meta({ description: 'RFC 7638 thumbprint' }),
    algorithm: z.enum(['EdDSA', 'ES256']).describe('The `alg` of its signatures'),
    status: z.enum(['next', 'active', 'retired']).describe('`active` signs; all three verify'),
    createdAt: z.iso.datetime().describe('When it was made'),
    retiredAt: z.iso.datetime().nullable().describe('When it stopped signing'),
  })
  .meta({ id: 'SigningKey', description: 'A key that signs access tokens' });
export type SigningKeyView = z.infer<typeof SigningKeyView>;

export const SigningKeyList = pageOf(SigningKeyView, 'SigningKeyList');
export type SigningKeyList = z.infer<typeof SigningKeyList>;

/** As of every list, but that a cursor is a kid. */
export const SigningKeyQuery = ListQuery.extend({
  cursor: z
    .string()
    .regex(/^[\w-]{43}$/, 'is no cursor that a list has answered')
    .optional()
    .meta({ description: '`nextCursor` of the page before' }),
});
export type SigningKeyQuery = z.infer<typeof SigningKeyQuery>;

const show = ({ kid, algorithm, status, createdAt, retiredAt }: SigningKey): SigningKeyView => ({
  kid,
  algorithm,
  status,
  createdAt: createdAt.toISOString(),
  retiredAt: retiredAt?.toISOString() ?? null,
});

/** They are few, and all here. Behind a key that is gone by now the list begins anew, rather than to miss one. */
export function showSigningKeys(keys: SigningKey[], { limit, cursor }: SigningKeyQuery): SigningKeyList {
  const start = cursor === undefined ? 0 : keys.findIndex(({ kid }) => kid === cursor) + 1;
  const shown = keys.slice(start, start + limit);
  return {
    items: shown.map(show),
    nextCursor: keys.length > start + limit ? shown.at(-1)!.kid : null,
  };
}
