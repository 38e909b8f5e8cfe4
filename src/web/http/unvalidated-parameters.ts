import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { RouteCheck } from '../../auth/route-table.js';

interface Parameter {
  readonly data?: unknown;
  readonly schema?: unknown;
  pipes?: unknown[];
}

/** The decorated parameters of a handler, with their kinds. */
export function parametersOf(controller: Function, methodName: string): [kind: RouteParamtypes, Parameter][] {
  const declared: Record<string, Parameter> =
    Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, methodName) ?? {};
  return Object.entries(declared).map(([key, parameter]) => [
    Number(key.split(':', 1)[0]) as RouteParamtypes,
    parameter,
  ]);
}

/**
 * Requires a schema for the body, the query, and the path parameters as a whole. A class in a type annotation validates
 * nothing. A single path parameter is a string, and needs no schema.
 */
export const unvalidatedParameters: RouteCheck = ({ controller, methodName }) =>
  parametersOf(controller, methodName).flatMap(([kind, { data, schema }]) => {
    if (schema !== undefined || (kind === RouteParamtypes.PARAM && typeof data === 'string')) return [];
    if (kind === RouteParamtypes.RAW_BODY)
      return ['uses @RawBody(), which is always empty: declare @AcceptBody({ as: "bytes" }) and use @Body()'];
    const decorator = DECORATORS[kind];
    return decorator ? [`uses ${decorator}() without a schema, so nothing validates it`] : [];
  });

const DECORATORS: Partial<Record<RouteParamtypes, string>> = {
  [RouteParamtypes.BODY]: '@Body',
  [RouteParamtypes.QUERY]: '@Query',
  [RouteParamtypes.PARAM]: '@Param',
};
