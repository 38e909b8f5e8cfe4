import { applyDecorators } from '@nestjs/common';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import { ApiConsumes } from '@nestjs/swagger';
import type { FastifyContextConfig } from 'fastify';
import type { ProblemError } from '../../platform/problems/problem.js';

export const JSON_TYPE = 'application/json';
export const FORM_TYPE = 'application/x-www-form-urlencoded';

export interface AcceptedBody {
  /**
   * The value for `@Body({ schema })`: a JSON value, a form as `URLSearchParams` (use the schema `formOf(…)`), or the raw
   * bytes (use the schema `Bytes`).
   */
  readonly as: 'json' | 'form' | 'bytes';
  /** Accepted media types, without parameters. */
  readonly types: readonly string[];
  /** In bytes, MAX_BODY_BYTES by default. The body is kept in memory. */
  readonly limit?: number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    body?: AcceptedBody;
    /** Makes the JSON of the route's problems, if it is not problem+json. */
    problemBody?: (problem: ProblemError) => object;
  }
}

/** The default. */
export const JSON_BODY: AcceptedBody = { as: 'json', types: [JSON_TYPE] };

/** The hint after a wrong media type. */
export const howToSend = (accepted: AcceptedBody = JSON_BODY): string =>
  accepted === JSON_BODY
    ? 'Send JSON with Content-Type: application/json.'
    : `Send the body with Content-Type: ${accepted.types.join(' or ')}.`;

/** The Fastify configuration of a handler's route. */
export const routeConfigOf = (handler: object): FastifyContextConfig =>
  Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) ?? {};

/** Extends that configuration. Nest's `@RouteConfig()` would replace it. */
export const ExtendRouteConfig =
  (config: FastifyContextConfig): MethodDecorator =>
  (_prototype, _name, { value }) => {
    const handler = value as object;
    Reflect.defineMetadata(FASTIFY_ROUTE_CONFIG_METADATA, { ...routeConfigOf(handler), ...config }, handler);
  };

/**
 * Declares the body of a route, if it is not `application/json`. `@Body({ schema })` still validates it.
 *
 * @example
 * ```ts
 * @Post('webhooks') @Public() @AcceptBody({ as: 'bytes', types: ['application/json'] })
 * @Put('avatar') @Authenticated({ modes: 'person' }) @AcceptBody({ as: 'bytes', types: ['image/png'], limit: 1_000_000 })
 * @Post('contact') @Public() @AcceptBody({ as: 'form', types: ['application/x-www-form-urlencoded'] })
 * @Patch(':id') @AcceptBody({ as: 'json', types: ['application/merge-patch+json'] })
 * ```
 */
export const AcceptBody = (body: AcceptedBody): MethodDecorator =>
  applyDecorators(ExtendRouteConfig({ body }), ApiConsumes(...body.types));
