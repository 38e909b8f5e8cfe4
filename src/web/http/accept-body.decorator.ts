import { applyDecorators } from '@nestjs/common';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import { ApiConsumes } from '@nestjs/swagger';
import type { FastifyContextConfig } from 'fastify';

export const JSON_TYPE = 'application/json';
export const FORM_TYPE = 'application/x-www-form-urlencoded';

export interface AcceptedBody {
  /**
   * What `@Body({ schema })` gets: the value of a JSON text, a form as `URLSearchParams` (its schema is made by
   * `formOf`), or the bytes as they came (`Bytes`).
   */
  readonly as: 'json' | 'form' | 'bytes';
  /** Media types that the route takes, without parameters. */
  readonly types: readonly string[];
  /** In bytes; MAX_BODY_BYTES by default. Each request holds its body in memory. */
  readonly limit?: number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    body?: AcceptedBody;
    /** The route answers problems in the form of RFC 6749 5.2. */
    oauthErrors?: boolean;
  }
}

/** Of a route that declares nothing else. */
export const JSON_BODY: AcceptedBody = { as: 'json', types: [JSON_TYPE] };

/** For who sent another type. */
export const howToSend = (accepted: AcceptedBody = JSON_BODY): string =>
  accepted === JSON_BODY
    ? 'Send JSON, with Content-Type: application/json.'
    : `Send the body with Content-Type: ${accepted.types.join(' or ')}.`;

/** What Fastify gets to know of the route of a handler. */
export const routeConfigOf = (handler: object): FastifyContextConfig =>
  Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) ?? {};

/** Adds to it; Nest's own `@RouteConfig()` replaces it. */
export const ExtendRouteConfig =
  (config: FastifyContextConfig): MethodDecorator =>
  (_prototype, _name, { value }) => {
    const handler = value as object;
    Reflect.defineMetadata(FASTIFY_ROUTE_CONFIG_METADATA, { ...routeConfigOf(handler), ...config }, handler);
  };

/**
 * Declares what the body of a route is, where it is not `application/json`. `@Body({ schema })` still validates it.
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
