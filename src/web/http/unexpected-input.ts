import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import { parametersOf } from './unvalidated-parameters.js';
import { MAX_ERRORS, unexpectedField, ValidationError } from './validation.js';

/** API routes, under any prefix. Pages, documents and OAuth endpoints ignore unknown query parameters. */
const VERSIONED = /\/v\d+(\/|$)/;

/**
 * Refuses a body or query parameters that the handler does not declare, so that a misspelt name is never ignored. A guard,
 * because one interceptor would bring rxjs into every request. It runs after AuthGuard: see the order of the modules.
 */
@Injectable()
export class UnexpectedInput implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { body, query, routeOptions } = context.switchToHttp().getRequest<FastifyRequest>();
    if (body && !routeOptions.config.body && declared(context, RouteParamtypes.BODY).length === 0)
      refuseBody(body);
    const names = Object.keys(query as object);
    if (names.length > 0 && VERSIONED.test(routeOptions.url ?? ''))
      refuseUnknown(names, declared(context, RouteParamtypes.QUERY));
    return true;
  }
}

/** The names of the declared parameters of a kind, undefined for one that takes all of them: `@Body()`, `@Query()`. */
const declared = (context: ExecutionContext, wanted: RouteParamtypes): unknown[] =>
  parametersOf(context.getClass(), context.getHandler().name)
    .filter(([kind]) => kind === wanted)
    .map(([, { data }]) => data);

/** An empty object is accepted, because many clients send one. */
function refuseBody(body: unknown): void {
  if (typeof body !== 'object' || Array.isArray(body))
    throw new ValidationError([{ pointer: '', detail: 'must not be sent: the route takes no body' }]);
  refuseUnknown(Object.keys(body as object), []);
}

function refuseUnknown(names: readonly string[], known: readonly unknown[]): void {
  if (known.includes(undefined)) return;
  const unknown = names.filter((name) => !known.includes(name)).slice(0, MAX_ERRORS);
  if (unknown.length > 0) throw new ValidationError(unknown.map((name) => unexpectedField([name])));
}
