import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import { cookieValues } from '../../auth/presented-credential.js';
import { defineCredentialKind } from '../../auth/credential-kinds.js';
import { equalSecrets, hmac, isRandomSecret } from '../../platform/crypto/secret.js';

/** The prefix `__Host-` binds the cookie to this host and to https (ASVS 3.3.1, 3.3.3). */
export const SESSION_COOKIE = '__Host-session';

export const SESSION_COOKIE_OPTIONS: CookieSerializeOptions = {
  path: '/',
  httpOnly: true,
  secure: true,
  sameSite: 'lax',
};

export const CSRF_HEADER = 'X-CSRF-Token';

export const sessionCookies = (request: FastifyRequest): string[] => cookieValues(request, SESSION_COOKIE);

/** The CSRF token is derived from the cookie's secret and does not reveal it. */
export const csrfTokenOf = (cookieSecret: string): string => hmac(cookieSecret, 'csrf');

/** Parameter decorator: the CSRF token of the session. Use it only on routes that accept no mode but `session`. */
export const CsrfToken = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const [secret] = sessionCookies(context.switchToHttp().getRequest<FastifyRequest>());
  if (secret === undefined) throw new Error('@CsrfToken() needs a route that accepts only the mode session');
  return csrfTokenOf(secret);
});

/** Parameter decorator: the values of all session cookies in the request, also invalid ones. */
export const PresentedSessions = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  sessionCookies(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** The words of the log, also for `npm run inspect`. */
export const sessionFault = (secret: string): string | undefined =>
  isRandomSecret(secret) ? undefined : 'malformed session cookie';

defineCredentialKind({
  name: 'session cookie',
  places: [{ type: 'cookie', name: SESSION_COOKIE }],
  recognises: isRandomSecret,
  examine: (text, { pasted }) => {
    const sent = pasted.filter(({ place }) => place?.type === 'cookie' && place.name === SESSION_COOKIE);
    const faults = [sessionFault(text), sent.length > 1 ? 'two session cookies' : undefined];
    return { faults: faults.filter((fault) => fault !== undefined) };
  },
});

defineCredentialKind({
  name: 'CSRF token',
  places: [{ type: 'header', name: CSRF_HEADER }],
  recognises: isRandomSecret,
  examine: (text, { pasted }) => {
    const cookie = pasted.find(({ place }) => place?.type === 'cookie' && place.name === SESSION_COOKIE);
    if (!cookie)
      return {
        faults: isRandomSecret(text) ? [] : ['wrong X-CSRF-Token'],
        unchecked: 'whether it belongs to the session. Add the Cookie header to the input',
      };
    const fits = equalSecrets(text, csrfTokenOf(cookie.text));
    return {
      faults: fits ? [] : ['wrong X-CSRF-Token'],
      facts: [['session', fits ? 'belongs to the session cookie of the input' : 'another one']],
      unchecked: 'whether the session exists, and the origin of the request',
    };
  },
});
