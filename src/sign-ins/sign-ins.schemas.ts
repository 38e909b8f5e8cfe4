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
