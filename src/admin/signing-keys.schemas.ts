import { z } from 'zod';
import { pageOf } from '../pagination/page.js';
import type { SigningKey } from '../signing-keys/signing-key.entity.js';

/** Nothing of the private key, and of the public one only its name. */
export const SigningKeyView = z
  .object({
    kid: z.string().meta({ description: 'RFC 7638 thumbprint' }),
    algorithm: z.enum(['EdDSA', 'ES256']),
    status: z.enum(['next', 'active', 'retired']),
    createdAt: z.iso.datetime(),
    retiredAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'SigningKey' });
export type SigningKeyView = z.infer<typeof SigningKeyView>;

/** They are always few: there is one page. */
export const SigningKeyList = pageOf(SigningKeyView, 'SigningKeyList');
export type SigningKeyList = z.infer<typeof SigningKeyList>;

export const showSigningKeys = (keys: SigningKey[]): SigningKeyList => ({
  items: keys.map(({ kid, algorithm, status, createdAt, retiredAt }) => ({
    kid,
    algorithm,
    status,
    createdAt: createdAt.toISOString(),
    retiredAt: retiredAt?.toISOString() ?? null,
  })),
  nextCursor: null,
});
