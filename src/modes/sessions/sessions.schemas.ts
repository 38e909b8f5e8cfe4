import { z } from 'zod';
import { describeRenewal, SignInView } from '../../accounts/sign-ins/sign-ins.schemas.js';
import { signInRequest } from '../../accounts/sign-ins/sign-in-request.js';
import { UserView } from '../../accounts/users/users.schemas.js';

const csrfToken = z
  .string()
  .describe('Send it as `X-CSRF-Token` with all methods except GET, HEAD and OPTIONS');

export const SessionRequest = signInRequest({ id: 'SessionRequest', description: 'A sign-in by cookie' }, {});
export type SessionRequest = z.infer<typeof SessionRequest>;

export const SessionCreated = z
  .object({ session: SignInView, user: UserView, csrfToken })
  .meta({ id: 'SessionCreated', description: 'The sign-in; its secret is in the cookie' });

// The schema RenewedSignIn includes this answer.
describeRenewal(
  z
    .object({ session: SignInView, csrfToken })
    .meta({ id: 'SessionRenewed', description: 'The same sign-in; its new secret is in the cookie' }),
);

export const CsrfTokenView = z
  .object({ csrfToken })
  .meta({ id: 'CsrfToken', description: 'The CSRF token of a session' });
export type CsrfTokenView = z.infer<typeof CsrfTokenView>;
