import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { cookieValues } from '../../auth/presented-credential.js';
import type { SetCookie } from '../../accounts/sign-ins/carriers.js';

/** Out of reach of scripts and of other sites. `__Host-` keeps sibling hosts from setting it; only the refresh reads it. */
export const REFRESH_COOKIE: Omit<SetCookie, 'value'> = {
  name: '__Host-refresh',
  options: { httpOnly: true, secure: true, sameSite: 'strict', path: '/' },
};

/** All refresh cookies of the request: more than one is for the service to refuse. */
export const RefreshCookies = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  cookieValues(context.switchToHttp().getRequest<FastifyRequest>(), REFRESH_COOKIE.name),
);
