import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { parametersOf } from './unvalidated-parameters.js';
import { MAX_ERRORS, noField, ValidationError } from './validation.js';

/** Refuses the fields of a body that the handler takes none of: nothing is ever ignored. A route with `@AcceptBody()` takes one. */
@Injectable()
export class UnexpectedBody implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { body } = request;
    if (body && !request.routeOptions.config.body && !takesBody(context)) refuse(body);
    return next.handle();
  }
}

function takesBody(context: ExecutionContext): boolean {
  return parametersOf(context.getClass(), context.getHandler().name).some(
    ([kind]) => kind === RouteParamtypes.BODY,
  );
}

/** An empty object says nothing, and clients send one along. */
function refuse(body: unknown): void {
  if (typeof body !== 'object' || Array.isArray(body))
    throw new ValidationError([{ pointer: '', detail: 'is not expected' }]);
  const fields = Object.keys(body as object).slice(0, MAX_ERRORS);
  if (fields.length > 0) throw new ValidationError(fields.map((field) => noField([field])));
}
