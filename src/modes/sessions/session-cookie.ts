import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import { cookieValues } from '../../auth/presented-credential.js';
import { hmac } from '../../platform/crypto/secret.js';

/** `__Host-` binds it to this host, to https and to all paths (ASVS 3.3.1, 3.3.3). */
export const SESSION_COOKIE = '__Host-session';

export const SESSION_COOKIE_OPTIONS: CookieSerializeOptions = {
  path: '/',
  httpOnly: true,
  secure: true,
  sameSite: 'lax',
};

export const sessionCookies = (request: FastifyRequest): string[] => cookieValues(request, SESSION_COOKIE);

/** The CSRF token of a session: whoever knows the cookie's secret can make it, and it does not give the secret away. */
export const csrfTokenOf = (cookieSecret: string): string => hmac(cookieSecret, 'csrf');

/** The CSRF token of the session behind the request, as a parameter of a handler. Only for routes of the mode `session`. */
export const CsrfToken = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const [secret] = sessionCookies(context.switchToHttp().getRequest<FastifyRequest>());
  if (secret === undefined) throw new Error('no session cookie: the route accepts other modes than session');
  return csrfTokenOf(secret);
});

/** The session cookies that came along, whatever they are worth, as a parameter of a handler. */
export const PresentedSessions = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  sessionCookies(context.switchToHttp().getRequest<FastifyRequest>()),
);
