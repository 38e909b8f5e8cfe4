import { z } from 'zod';
import { describeRenewal, SignInView } from '../../accounts/sign-ins/sign-ins.schemas.js';
import { EmailInput, PasswordInput, UserView } from '../../accounts/users/users.schemas.js';

const csrfToken = z
  .string()
  .describe('To be sent as `X-CSRF-Token` with every request that changes something');

export const SessionRequest = z
  .strictObject({ email: EmailInput, password: PasswordInput })
  .meta({ id: 'SessionRequest', description: 'Who signs in' });
export type SessionRequest = z.infer<typeof SessionRequest>;

export const SessionCreated = z
  .object({ session: SignInView, user: UserView, csrfToken })
  .meta({ id: 'SessionCreated', description: 'The sign-in; its secret is in the cookie' });

// Registers what renews a session: the schema RenewedSignIn includes it.
describeRenewal(
  z
    .object({ session: SignInView, csrfToken })
    .meta({ id: 'SessionRenewed', description: 'The same sign-in; its new secret is in the cookie' }),
);

export const CsrfTokenView = z
  .object({ csrfToken })
  .meta({ id: 'CsrfToken', description: 'The CSRF token of a session' });
export type CsrfTokenView = z.infer<typeof CsrfTokenView>;
