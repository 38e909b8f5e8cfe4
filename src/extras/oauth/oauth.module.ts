import { Module, type OnModuleInit } from '@nestjs/common';
import { ApiKeyAdmission } from '../../modes/api-keys/api-key.admission.js';
import { ApiKeyVerifier, type FoundKey, kindOf } from '../../modes/api-keys/api-key.verifier.js';
import { ApiKeysModule } from '../../modes/api-keys/api-keys.module.js';
import { JwtModule } from '../../modes/jwt/jwt.module.js';
import { JwtPrincipals } from '../../modes/jwt/jwt-principals.js';
import { TokensModule } from '../../modes/tokens/tokens.module.js';
import { GrantsService } from './grants.service.js';
import { IntrospectionService } from './introspection.service.js';
import { MetadataController } from './metadata.controller.js';
import { OAuthClients } from './oauth-clients.service.js';
import { OAuthController } from './oauth.controller.js';
import { RateLimitsModule } from '../../platform/rate-limits/rate-limits.module.js';
import { defineScopes } from '../../auth/scopes.js';
import { defineSecretFields } from '../../platform/logging/secret-fields.js';
import { defineTag } from '../../web/openapi/tags.js';

defineTag('oauth', 'The OAuth 2.0 endpoints');

defineSecretFields('client_secret', 'subject_token');

declare module '../../auth/scopes.js' {
  interface Scopes {
    'tokens:introspect': true;
  }
}

defineScopes({
  'tokens:introspect': { about: 'Introspect tokens' },
});

@Module({
  imports: [ApiKeysModule, JwtModule, TokensModule, RateLimitsModule],
  controllers: [OAuthController, MetadataController],
  providers: [OAuthClients, GrantsService, IntrospectionService],
})
export class OAuthModule implements OnModuleInit {
  constructor(
    private readonly principals: JwtPrincipals,
    private readonly keys: ApiKeyVerifier,
    private readonly admission: ApiKeyAdmission,
  ) {}

  /** The limits and the state of a key also apply to its tokens. */
  onModuleInit(): void {
    const machineOf = (key: FoundKey) => ({
      kind: kindOf(key),
      resources: key.resources ?? undefined,
      admit: () => this.admission.admit(key),
    });
    this.principals.registerMachines(({ client_id: id, sub: ownerId, key_revision: revision }) => {
      const key = this.keys.behind({ id, ownerId, revision });
      return key instanceof Promise ? key.then(machineOf) : machineOf(key);
    });
  }
}
