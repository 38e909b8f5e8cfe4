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

/** The mode `jwt`: passport-jwt takes the token off the request, and jose verifies it. */
@Injectable()
export class JwtStrategy implements OnModuleInit {
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
        // Not the package's own extractor: its pattern has no ends, and `Bearer token junk` would pass it.
        jwt: adapt(Strategy, [{ jwtFromRequest: bearerToken, secretOrKeyProvider: endWithToken }]),
      },
      present: (request) => (isBearer(request) && !isOpaqueBearer(request) ? 'jwt' : undefined),
      verify: async (token, { live }) => this.principals.of(await this.verifier.verify(token), live),
      securityScheme: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'An access token (RFC 9068) that POST /v1/tokens or POST /oauth/token answers with.',
      },
    });
  }
}

/**
 * passport-jwt asks for the key of the token that it took. The strategy ends here instead, with the token: the package's
 * verifier knows no EdDSA, and parses the key for each request.
 */
function endWithToken(this: Strategy, _request: unknown, token: string): void {
  this.success(token);
}
