import { z } from 'zod';
import { PasswordInput } from '../users/users.schemas.js';

export const Reauthentication = z.strictObject({ password: PasswordInput }).meta({ id: 'Reauthentication' });
export type Reauthentication = z.infer<typeof Reauthentication>;

export const SignInView = z
  .object({
    id: z.uuid(),
    carrier: z.enum(['cookie', 'token']),
    createdAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    ip: z.string().nullable(),
    userAgent: z.string().nullable(),
    device: z.string().nullable().meta({ example: 'Firefox on Linux' }),
    current: z.boolean(),
  })
  .meta({ id: 'SignIn' });
export type SignInView = z.infer<typeof SignInView>;

const renewals: z.ZodType[] = [];

/** Declares, beside a carrier, what a sign-in that it carries is renewed with: the API reference shows all there are. */
export function describeRenewal<T extends z.ZodType>(answer: T): T {
  renewals.push(answer);
  return answer;
}

/** The answer of Carrier.renew. Lazy, since carriers declare theirs later. */
export const RenewedSignIn = z.lazy(() => z.union(renewals)).meta({ id: 'RenewedSignIn' });
