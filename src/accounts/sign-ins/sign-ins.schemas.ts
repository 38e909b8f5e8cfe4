import { z } from 'zod';
import { PasswordInput } from '../users/users.schemas.js';

export const Reauthentication = z
  .strictObject({ password: PasswordInput })
  .meta({ id: 'Reauthentication', description: 'Proof of who you are' });
export type Reauthentication = z.infer<typeof Reauthentication>;

export const SignInView = z
  .object({
    id: z.uuid().describe('Never changes; the `sid` of its tokens'),
    carrier: z.enum(['cookie', 'token']).describe('What carries it'),
    createdAt: z.iso.datetime().describe('When the person signed in'),
    lastSeenAt: z.iso.datetime().describe('Written every few seconds'),
    expiresAt: z.iso.datetime().describe('When it ends at the latest'),
    ip: z.string().nullable().describe('Where the person signed in'),
    userAgent: z.string().nullable().describe('With what'),
    device: z.string().nullable().meta({ description: 'The same, in words', example: 'Firefox on Linux' }),
    current: z.boolean().describe('Whether it is behind this request'),
  })
  .meta({ id: 'SignIn', description: 'A sign-in' });
export type SignInView = z.infer<typeof SignInView>;

const renewals: z.ZodType[] = [];

/** Declares, beside a carrier, what a sign-in that it carries is renewed with: the API reference shows all there are. */
export function describeRenewal<T extends z.ZodType>(answer: T): T {
  renewals.push(answer);
  return answer;
}

/** The answer of Carrier.renew. Lazy, since carriers declare theirs later. */
export const RenewedSignIn = z
  .lazy(() => z.union(renewals))
  .meta({ id: 'RenewedSignIn', description: 'The new secrets, as the sign-in is carried' });
