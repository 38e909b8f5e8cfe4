import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { parametersOf } from './unvalidated-parameters.js';
import { MAX_ERRORS, noField, ValidationError } from './validation.js';

/** Routes of the API, under whatever prefix. Pages, documents and OAuth's endpoints ignore what they do not know. */
const VERSIONED = /\/v\d+(\/|$)/;

/** Refuses query parameters that the handler does not take: a misspelt one is never ignored. */
@Injectable()
export class UnexpectedQuery implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { query, routeOptions } = context.switchToHttp().getRequest<FastifyRequest>();
    const given = Object.keys(query as object);
    if (given.length > 0 && VERSIONED.test(routeOptions.url ?? '')) refuse(given, context);
    return next.handle();
  }
}

function refuse(given: readonly string[], context: ExecutionContext): void {
  const taken = parametersOf(context.getClass(), context.getHandler().name)
    .filter(([kind]) => kind === RouteParamtypes.QUERY)
    .map(([, { data }]) => data);
  // `@Query()` takes the whole query, and its schema says what may be in it.
  if (taken.includes(undefined)) return;
  const unknown = given.filter((name) => !taken.includes(name)).slice(0, MAX_ERRORS);
  if (unknown.length > 0) throw new ValidationError(unknown.map((name) => noField([name])));
}
