import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ModeRegistry } from '../../auth/mode-registry.js';
import { read } from '../../auth/passport.js';
import { defineCredentialKind } from '../../auth/credential-kinds.js';
import { bearerToken, isOpaqueBearer, OPAQUE_PREFIX } from '../tokens/bearer.js';
import { opaqueTokenFault, OpaqueTokensService } from './opaque-tokens.service.js';

defineCredentialKind({
  name: 'opaque access token',
  places: [{ type: 'scheme', name: 'Bearer' }],
  recognises: (text) => text.startsWith(OPAQUE_PREFIX),
  examine: (text) => {
    const fault = opaqueTokenFault(text);
    return { prefix: OPAQUE_PREFIX, faults: fault ? [fault] : [] };
  },
});

declare module '../../auth/auth-modes.js' {
  interface AuthModes {
    opaque: true;
  }
}

/** The mode `opaque`: a bearer token, looked up by its hash. */
@Injectable()
export class OpaqueTokenMode implements OnModuleInit {
  constructor(
    private readonly modes: ModeRegistry,
    private readonly tokens: OpaqueTokensService,
  ) {}

  onModuleInit(): void {
    this.modes.register({
      name: 'opaque',
      scheme: 'Bearer',
      carries: 'person',
      ambient: false,
      canHold: () => true,
      credentialHeaders: ['Authorization'],
      strategies: { opaque: read(bearerToken) },
      present: (request) => (isOpaqueBearer(request) ? 'opaque' : undefined),
      // Always live: the lookup reads the sign-in.
      verify: (token) => this.tokens.verify(token),
      securityScheme: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'at_…',
        description: 'An opaque access token. POST /v1/tokens issues it for the format `opaque`.',
      },
    });
  }
}
