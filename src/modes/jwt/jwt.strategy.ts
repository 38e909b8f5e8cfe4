import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Strategy, type VerifyCallback } from 'passport-jwt';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { ModeRegistry } from '../../auth/mode-registry.js';
import { authorizationToken } from '../../auth/presented-credential.js';
import type { Principal } from '../../auth/principal.js';
import type { AccessTokenClaims } from './access-token.js';
import { AccessTokenVerifier } from './access-token.verifier.js';
import { isBearer, isOpaqueBearer } from '../tokens/bearer.js';
import { JwtPrincipals } from './jwt-principals.js';

declare module '../../auth/auth-modes.js' {
  interface AuthModes {
    jwt: true;
  }
}

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
    private readonly principals: JwtPrincipals,
  ) {
    super({
      // Not the package's own extractor: its pattern has no ends, and `Bearer token junk` would pass it.
      jwtFromRequest: (request: FastifyRequest) => authorizationToken(request) ?? null,
      secretOrKeyProvider: () => {
        throw new Error('the keys are with the AccessTokenVerifier');
      },
    });
  }

  onModuleInit(): void {
    this.modes.register({
      name: 'jwt',
      scheme: 'Bearer',
      carries: 'both',
      ambient: false,
      canHold: () => true,
      strategies: { jwt: this },
      // Also with nothing or junk behind it: that is a bad credential, not the lack of one.
      presented: (request) => (isBearer(request) && !isOpaqueBearer(request) ? 'jwt' : undefined),
      seeAlive: (principal) => this.principals.seeAlive(principal),
      securityScheme: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'An access token (RFC 9068) that POST /v1/tokens or POST /oauth/token answers with.',
      },
    });
  }

  /** Into the registry of this application instead: Passport's own is one for the whole process. */
  getPassportInstance() {
    return { use: () => undefined };
  }

  override authenticate(incoming: unknown): void {
    const token = this._jwtFromRequest(incoming as FastifyRequest);
    if (token === null) return this.error(new InvalidCredentialError('not one bearer token'));
    this.verifier.verify(token).then(
      (claims) =>
        this._verify(claims, (error, principal) => (error ? this.error(error) : this.success(principal))),
      (error: Error) => this.error(error),
    );
  }

  /** @throws InvalidCredentialError */
  validate(claims: AccessTokenClaims): Promise<Principal> {
    return this.principals.of(claims);
  }
}
