import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ModeRegistry } from '../auth/mode-registry.js';
import { read } from '../auth/passport.js';
import { authorizationScheme, authorizationToken } from '../auth/presented-credential.js';
import { machineScopes } from '../auth/scopes.js';
import { IdentityVerifier } from './identity.verifier.js';

declare module '../auth/auth-modes.js' {
  interface AuthModes {
    idp: true;
  }
}

/**
 * The mode `idp`: `Authorization: IdP <jwt>`. Bearer tokens belong to the modes `jwt` and `opaque`. It carries machines: a
 * token of the provider has no sign-in here, which routes for persons need.
 */
@Injectable()
export class IdpMode implements OnModuleInit {
  constructor(
    private readonly modes: ModeRegistry,
    private readonly verifier: IdentityVerifier,
  ) {}

  onModuleInit(): void {
    this.modes.register({
      name: 'idp',
      scheme: 'IdP',
      carries: 'machine',
      ambient: false,
      canHold: (scope) => machineScopes().includes(scope),
      credentialHeaders: ['Authorization'],
      strategies: { idp: read(authorizationToken) },
      present: (request) => (authorizationScheme(request) === 'idp' ? 'idp' : undefined),
      verify: (token) => this.verifier.verify(token),
      securityScheme: {
        type: 'http',
        scheme: 'IdP',
        description: 'A JWT of the identity provider, whose audience is this server.',
      },
    });
  }
}
