import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Strategy } from 'passport-jwt';
import { ModeRegistry } from '../../auth/mode-registry.js';
import { adapt } from '../../auth/passport.js';
import { bearerToken, isBearer, isOpaqueBearer } from '../tokens/bearer.js';
import { AccessTokenVerifier } from './access-token.verifier.js';
import { JwtPrincipals } from './jwt-principals.js';

declare module '../../auth/auth-modes.js' {
  interface AuthModes {
    jwt: true;
  }
}

/** The mode `jwt`: passport-jwt extracts the token from the request, and AccessTokenVerifier verifies it. */
@Injectable()
export class JwtMode implements OnModuleInit {
  constructor(
    private readonly modes: ModeRegistry,
    private readonly verifier: AccessTokenVerifier,
    private readonly principals: JwtPrincipals,
  ) {}

  onModuleInit(): void {
    this.modes.register({
      name: 'jwt',
      scheme: 'Bearer',
      carries: 'both',
      ambient: false,
      canHold: () => true,
      credentialHeaders: ['Authorization'],
      strategies: {
        // The extractor of passport-jwt is not used, because it accepts `Bearer token junk`.
        jwt: adapt(Strategy, [{ jwtFromRequest: bearerToken, secretOrKeyProvider: endWithToken }]),
      },
      present: (request) => (isBearer(request) && !isOpaqueBearer(request) ? 'jwt' : undefined),
      verify: (token, { live }) => {
        const claims = this.verifier.remembered(token);
        return claims
          ? this.principals.of(claims, live)
          : this.verifier.verify(token).then((verified) => this.principals.of(verified, live));
      },
      securityScheme: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'A JWT access token (RFC 9068). POST /v1/tokens and POST /oauth/token issue it.',
      },
    });
  }
}

/**
 * Called by passport-jwt to get the key of a token. Ends the strategy with the token instead, because the verifier of
 * passport-jwt does not support EdDSA and parses the key on each request.
 */
function endWithToken(this: Strategy, _request: unknown, token: string): void {
  this.success(token);
}
