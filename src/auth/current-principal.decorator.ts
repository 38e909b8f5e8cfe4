import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Principal } from './principal.js';

/** The principal that the guard put on the request. @throws if the route is public, or the guard did not run */
export function principalOf(request: FastifyRequest): Principal {
  const { user } = request as FastifyRequest & { user?: unknown };
  if (!(user instanceof Principal))
    throw new Error('no principal: the route is public, or the guard did not run');
  return user;
}

/**
 * Passes the principal of the request to a handler.
 *
 * @example
 * ```ts
 * list(@CurrentPrincipal() principal: Principal) { return this.orders.list(principal.subject); }
 * ```
 */
export const CurrentPrincipal = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  principalOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
