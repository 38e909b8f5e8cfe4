import { z } from 'zod';
import { describeRenewal, SignInView } from '../sign-ins/sign-ins.schemas.js';
import { EmailInput, PasswordInput, UserView } from '../users/users.schemas.js';

export const SessionRequest = z
  .strictObject({ email: EmailInput, password: PasswordInput })
  .meta({ id: 'SessionRequest' });
export type SessionRequest = z.infer<typeof SessionRequest>;

export const SessionCreated = z
  .object({ session: SignInView, user: UserView, csrfToken: z.string() })
  .meta({ id: 'SessionCreated' });

export const SessionRenewed = describeRenewal(
  z.object({ session: SignInView, csrfToken: z.string() }).meta({ id: 'SessionRenewed' }),
);

export const CsrfTokenView = z.object({ csrfToken: z.string() }).meta({ id: 'CsrfToken' });
export type CsrfTokenView = z.infer<typeof CsrfTokenView>;
