import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Strategy } from 'passport-strategy';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { ModeRegistry } from '../../auth/mode-registry.js';
import { authorizationToken } from '../../auth/presented-credential.js';
import type { Principal } from '../../auth/principal.js';
import { isOpaqueBearer } from '../tokens/bearer.js';
import { OpaqueTokensService } from './opaque-tokens.service.js';

declare module '../../auth/auth-modes.js' {
  interface AuthModes {
    opaque: true;
  }
}

type Verify = (token: string | undefined, done: (error: Error | null, principal?: Principal) => void) => void;

/** Passport's part: takes the token off the request and hands it on. */
class BearerStrategy extends Strategy {
  constructor(private readonly verify: Verify) {
    super();
  }

  override authenticate(request: unknown): void {
    this.verify(authorizationToken(request as FastifyRequest), (error, principal) =>
      error || !principal
        ? this.error(error ?? new InvalidCredentialError('unknown'))
        : this.success(principal),
    );
  }
}

/** The mode `opaque`: a bearer token that is looked up by its hash. */
@Injectable()
export class OpaqueTokenStrategy extends PassportStrategy(BearerStrategy, 'opaque') implements OnModuleInit {
  constructor(
    private readonly modes: ModeRegistry,
    private readonly tokens: OpaqueTokensService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.modes.register({
      name: 'opaque',
      scheme: 'Bearer',
      carries: 'person',
      ambient: false,
      canHold: () => true,
      strategies: { opaque: this },
      presented: (request) => (isOpaqueBearer(request) ? 'opaque' : undefined),
      securityScheme: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'at_…',
        description:
          'An opaque access token that POST /v1/tokens answers with, where the format asks for it.',
      },
    });
  }

  /** @throws InvalidCredentialError */
  async validate(token: string | undefined): Promise<Principal> {
    if (token === undefined) throw new InvalidCredentialError('not one bearer token');
    return this.tokens.verify(token);
  }

  /** Into the registry of this application instead: Passport's own is one for the whole process. */
  getPassportInstance() {
    return { use: () => undefined };
  }
}
