import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Principal } from './principal.js';

/** Reads what the guard left on the request. @throws where no guard ran, or the route is public */
export function principalOf(request: FastifyRequest): Principal {
  const { user } = request as FastifyRequest & { user?: unknown };
  if (!(user instanceof Principal))
    throw new Error('no principal: the route is public, or the guard did not run');
  return user;
}

/**
 * The principal of this request, as a parameter of a handler.
 *
 * @example
 * ```ts
 * list(@CurrentPrincipal() principal: Principal) { return this.orders.list(principal.userId); }
 * ```
 */
export const CurrentPrincipal = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  principalOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
