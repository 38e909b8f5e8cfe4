import { SetMetadata } from '@nestjs/common';
import type { AuthMode } from './auth-modes.js';
import type { RateLimit } from '../platform/rate-limits/rate-limiter.js';
import type { Requirements } from './requirements.js';
import type { Scope } from './scopes.js';

export const AUTHENTICATED = Symbol('authenticated');
export const PUBLIC = Symbol('public');

export interface AuthenticatedOptions {
  /**
   * `'any'`: every registered mode. `'person'`: every mode that can carry a person, and the caller must be a person.
   * Or a list of modes.
   */
  modes: 'any' | 'person' | readonly [AuthMode, ...AuthMode[]];
  /** The caller must be a person. `modes: 'person'` implies it. */
  person?: boolean;
  /** The caller must act for a user: a person, or a machine with a person's key. Service accounts are refused. */
  user?: boolean;
  /** The caller must hold all of them. */
  scopes?: readonly Scope[];
  /**
   * The person must have signed in or reauthenticated within REAUTHENTICATION_WINDOW, or within `'5m'` (RFC 9470).
   */
  recentSignIn?: boolean | `${number}${'s' | 'm' | 'h' | 'd'}`;
  /**
   * `true`: the sign-in must include a second factor. `'where-enrolled'`: only if the person has one. `'never'`: it makes no
   * difference. Without a declaration, the room that stores factors decides. Together with `recentSignIn`, the second factor must
   * be as recent.
   */
  secondFactor?: true | 'where-enrolled' | 'never';
  /**
   * Checks the sign-in or key behind the credential again (result cached for at most CREDENTIAL_CACHE_TTL), with its
   * current roles, status and expiry. Without it, a JWT is valid until it expires or its revocation arrives.
   */
  live?: boolean;
  /**
   * The resource of the route, with parameters of its path: `orders/:id`. A key that is narrowed to resources can call
   * only routes about one of them, and routes without scopes.
   */
  resource?: string;
  /** Requirements that rooms have added. */
  requires?: Partial<Requirements>;
}

export interface PublicOptions {
  /** The route sets or reads a cookie: cross-site requests are refused (ASVS 3.5.1, 3.5.8). */
  sameOrigin?: boolean;
  /** The limit for each client address (ASVS 2.4.1). `policy` is its name, in lower case with hyphens. */
  rateLimit?: RateLimit & { readonly policy: string };
}

/**
 * Declares who can call a route. The guard, the OpenAPI document, `npm run routes` and the generated tests use this
 * declaration and nothing else. The server does not start if a route has neither this nor `@Public()`.
 *
 * @example
 * ```ts
 * @Get() @Authenticated({ modes: 'any', scopes: ['orders:read'] })
 * @Get('me') @Authenticated({ modes: 'any', user: true, scopes: ['profile:read'] })
 * @Post() @Authenticated({ modes: ['api-key'], scopes: ['events:write'] })
 * @Delete() @Authenticated({ modes: 'person', scopes: ['account:security'], recentSignIn: true })
 * @Post() @Authenticated({ modes: 'person', recentSignIn: '5m', secondFactor: true, live: true })
 * ```
 */
export const Authenticated = (options: AuthenticatedOptions) => SetMetadata(AUTHENTICATED, options);

/**
 * Declares that anyone can call a route. The server reads no credential there.
 *
 * @example
 * ```ts
 * @Get('health/live') @Public()
 * @Post('v1/sessions') @Public({ sameOrigin: true })
 * @Post('v1/reports') @Public({ rateLimit: { policy: 'reports', requests: 30, windowSeconds: 60 } })
 * ```
 */
export const Public = (options: PublicOptions = {}) => SetMetadata(PUBLIC, options);
