import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { cookieValues } from '../../auth/presented-credential.js';
import type { SetCookie } from '../../accounts/sign-ins/carriers.js';

/** Scripts and other sites cannot read it. The prefix `__Host-` prevents sibling hosts from setting it. */
export const REFRESH_COOKIE: Omit<SetCookie, 'value'> = {
  name: '__Host-refresh',
  options: { httpOnly: true, secure: true, sameSite: 'strict', path: '/' },
};

/** Parameter decorator: the values of all refresh cookies in the request. More than one are refused. */
export const RefreshCookies = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  cookieValues(context.switchToHttp().getRequest<FastifyRequest>(), REFRESH_COOKIE.name),
);
