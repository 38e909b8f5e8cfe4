import { SetMetadata } from '@nestjs/common';
import type { AuthMode } from './auth-modes.js';
import type { RateLimit } from '../platform/rate-limits/rate-limiter.js';
import type { Scope } from './scopes.js';

export const AUTHENTICATED = Symbol('authenticated');
export const PUBLIC = Symbol('public');

export interface AuthenticatedOptions {
  /**
   * `'any'`: every mode that is there. `'person'`: every mode that can carry a person, and a person behind it.
   * Or the modes by name.
   */
  modes: 'any' | 'person' | readonly [AuthMode, ...AuthMode[]];
  /** A person must be behind the credential, in whichever of the modes it comes: `'person'` says so for all of them. */
  person?: boolean;
  /** A user must be behind the credential: a person, or a machine with a key of theirs. A service account has none. */
  user?: boolean;
  /** All of them are needed. */
  scopes?: readonly Scope[];
  /** The person must have proved who they are within REAUTHENTICATION_WINDOW (RFC 9470). Only for persons. */
  recentSignIn?: boolean;
  /**
   * What stands behind the credential must be seen alive, now or at most CREDENTIAL_CACHE_TTL ago: current roles, status
   * and expiry apply. Without it a JWT is believed until it expires or its revocation arrives.
   */
  live?: boolean;
  /**
   * Which resource the route is about, with parameters of its path: `orders/:id`. A key that is narrowed to resources is
   * let in where the route is about one of them, or asks for no scope, and nowhere else.
   */
  resource?: string;
}

export interface PublicOptions {
  /** The route signs in or refreshes by cookie: a request that a foreign site caused is refused (ASVS 3.5.1, 3.5.8). */
  sameOrigin?: boolean;
  /** How often one address may call it (ASVS 2.4.1). `policy` is its name, in lower case with hyphens. */
  rateLimit?: RateLimit & { readonly policy: string };
}

/**
 * Declares who may call a route. The declaration is the whole truth about it: it drives the guard, the OpenAPI
 * document, `npm run routes` and the generated tests. A route with neither this nor `@Public()` stops the boot.
 *
 * @example
 * ```ts
 * @Get() @Authenticated({ modes: 'any', scopes: ['orders:read'] })
 * @Get('me') @Authenticated({ modes: 'any', user: true, scopes: ['profile:read'] })
 * @Post() @Authenticated({ modes: ['api-key'], scopes: ['events:write'] })
 * @Delete() @Authenticated({ modes: 'person', scopes: ['account:security'], recentSignIn: true })
 * ```
 */
export const Authenticated = (options: AuthenticatedOptions) => SetMetadata(AUTHENTICATED, options);

/**
 * Declares that anybody may call a route, and that no credential is read there.
 *
 * @example
 * ```ts
 * @Get('health/live') @Public()
 * @Post('v1/sessions') @Public({ sameOrigin: true })
 * @Post('v1/reports') @Public({ rateLimit: { policy: 'reports', requests: 30, windowSeconds: 60 } })
 * ```
 */
export const Public = (options: PublicOptions = {}) => SetMetadata(PUBLIC, options);
