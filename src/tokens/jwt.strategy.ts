import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { ExtractJwt, Strategy, type VerifyCallback } from 'passport-jwt';
import { InvalidCredentialError } from '../auth/auth.errors.js';
import { ModeRegistry } from '../auth/mode-registry.js';
import { authorizationScheme } from '../auth/presented-credential.js';
import { Principal } from '../auth/principal.js';
import { type Scope, USER_SCOPES } from '../auth/scopes.js';
import { Clock } from '../clock/clock.js';
import { RevocationFeed } from '../revocations/revocation-feed.js';
import { type LiveSignIn, whyOver } from '../sign-ins/live-sign-in.js';
import { SignInsService } from '../sign-ins/sign-ins.service.js';
import { scopesOfRoles } from '../users/user-scopes.js';
import type { AccessTokenClaims } from './access-token.js';
import { AccessTokenVerifier } from './access-token.verifier.js';
import { isTokenScope } from './token-scopes.js';

declare module '../auth/auth-modes.js' {
  interface AuthModes {
    jwt: true;
  }
}

/** The package's own pattern has no ends: `Bearer token junk` would pass it. */
const BEARER = /^Bearer [^\s,]+$/i;

/**
 * The mode `jwt`: passport-jwt's strategy, with jose in place of its verifier, which knows no EdDSA and is global to
 * the process.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') implements OnModuleInit {
  // Made by the constructors above. Passport runs each request on an object that inherits from this one: no #fields here.
  declare private readonly _jwtFromRequest: (request: FastifyRequest) => string | null;
  declare private readonly _verify: VerifyCallback;

  constructor(
    private readonly modes: ModeRegistry,
    private readonly verifier: AccessTokenVerifier,
    private readonly signIns: SignInsService,
    private readonly clock: Clock,
    private readonly feed: RevocationFeed,
  ) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: () => {
        throw new Error('the keys are with the AccessTokenVerifier');
      },
    });
  }

  onModuleInit(): void {
    this.modes.register({
      name: 'jwt',
      scheme: 'Bearer',
      carries: 'person',
      ambient: false,
      canHold: isTokenScope,
      strategies: { jwt: this },
      // Also with nothing or junk behind it: that is a bad credential, not the lack of one.
      presented: (request) => (authorizationScheme(request) === 'bearer' ? 'jwt' : undefined),
      securityScheme: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'An access token (RFC 9068) that POST /v1/tokens answers with.',
      },
    });
  }

  /** Into the registry of this application instead: Passport's own is one for the whole process. */
  getPassportInstance() {
    return { use: () => undefined };
  }

  override authenticate(incoming: unknown): void {
    const request = incoming as FastifyRequest;
    const token = BEARER.test(request.headers.authorization ?? '') ? this._jwtFromRequest(request) : null;
    if (token === null) return this.error(new InvalidCredentialError('not one bearer token'));
    this.verifier.verify(token).then(
      (claims) =>
        this._verify(claims, (error, principal) => (error ? this.error(error) : this.success(principal))),
      (error: Error) => this.error(error),
    );
  }

  /**
   * While the feed is current, what was revoked is in memory, and nothing is asked: a plain JWT. Otherwise, and where a
   * route declares `live`, a token is as good as the sign-in behind it is now, with what its user may do now.
   * @throws InvalidCredentialError
   */
  async validate(claims: AccessTokenClaims): Promise<Principal> {
    const revoked = this.#whyRevoked(claims);
    if (revoked) throw new InvalidCredentialError(revoked);
    return this.feed.isCurrent ? principalOf(claims) : this.#live(claims);
  }

  #whyRevoked(claims: AccessTokenClaims): string | undefined {
    if (this.feed.revokedUntil('token', claims.jti) === Infinity) return 'token revoked';
    if (this.feed.revokedUntil('sign-in', claims.sid) === Infinity) return 'sign-in ended';
    // A changed password and a reauthentication renew the time: tokens from before end with the secrets from before.
    const renewed = Math.floor(this.feed.revokedUntil('renewal', claims.sid) / 1000);
    return claims.auth_time < renewed ? 'token from before the last proof of identity' : undefined;
  }

  async #live(claims: AccessTokenClaims): Promise<Principal> {
    const signIn = await this.signIns.find(claims.sid);
    if (!signIn) throw new InvalidCredentialError('sign-in unknown');
    const reason = whyOver(signIn, this.clock.now()) ?? mismatch(claims, signIn);
    if (reason) throw new InvalidCredentialError(reason);
    const allowed = new Set(scopesOfRoles(signIn.roles));
    return principalOf(claims, (scope) => allowed.has(scope));
  }
}

/** Scopes are the user's own, never `admin:*`, whatever the token says. */
function principalOf(claims: AccessTokenClaims, allowed: (scope: Scope) => boolean = () => true): Principal {
  const granted = new Set(claims.scope.split(' '));
  return new Principal({
    mode: 'jwt',
    kind: 'person',
    userId: claims.sub,
    credentialId: claims.jti,
    signInId: claims.sid,
    scopes: USER_SCOPES.filter((scope) => granted.has(scope) && allowed(scope)),
    authTime: new Date(claims.auth_time * 1000),
    amr: claims.amr,
  });
}

function mismatch(claims: AccessTokenClaims, signIn: LiveSignIn): string | undefined {
  if (claims.sub !== signIn.userId) return 'sub is not the user of the sign-in';
  if (claims.auth_time !== Math.floor(signIn.authTime.getTime() / 1000))
    return 'token from before the last proof of identity';
  return undefined;
}
