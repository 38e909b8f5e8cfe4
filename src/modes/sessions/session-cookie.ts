import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import { cookieValues } from '../../auth/presented-credential.js';
import { hmac } from '../../platform/crypto/secret.js';

/** The prefix `__Host-` binds the cookie to this host and to https (ASVS 3.3.1, 3.3.3). */
export const SESSION_COOKIE = '__Host-session';

export const SESSION_COOKIE_OPTIONS: CookieSerializeOptions = {
  path: '/',
  httpOnly: true,
  secure: true,
  sameSite: 'lax',
};

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
