import { z } from 'zod';

export const SignInView = z
  .object({
    id: z.uuid().describe('Never changes; tokens carry it as `sid`'),
    carrier: z.enum(['cookie', 'token']).describe('What carries the sign-in'),
    createdAt: z.iso.datetime().describe('When the person signed in'),
    lastSeenAt: z.iso.datetime().describe('When it was last used; a few seconds late'),
    expiresAt: z.iso.datetime().describe('When it expires, also if it is used'),
    ip: z.string().nullable().describe('The IP address of the sign-in'),
    userAgent: z.string().nullable().describe('The `User-Agent` of the sign-in'),
    device: z
      .string()
      .nullable()
      .meta({ description: 'A name made from `userAgent`', example: 'Firefox on Linux' }),
    current: z.boolean().describe('Whether this request uses it'),
  })
  .meta({ id: 'SignIn', description: 'A sign-in' });
export type SignInView = z.infer<typeof SignInView>;

const renewals: z.ZodObject[] = [];

/** Declares the answer of a carrier's `renew`, so that the API reference lists the answers of all carriers. */
export function describeRenewal<T extends z.ZodObject>(answer: T): T {
  renewals.push(answer);
  return answer;
}

/** The answer of `Carrier.renew`. Lazy, because carriers are loaded later. */
export const RenewedSignIn = z
  .lazy(() => z.union(renewals))
  .meta({ id: 'RenewedSignIn', description: 'The new secrets of the sign-in, by its carrier' });

/** The answer of a route that renews the sign-in, with further fields. */
export const renewedWith = (meta: { id: string; description: string }, shape: z.ZodRawShape) =>
  z.lazy(() => z.union(renewals.map((renewal) => renewal.extend(shape)))).meta(meta);
