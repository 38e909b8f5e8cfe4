import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SubjectsModule } from '../../accounts/subjects/subjects.module.js';
import { defineScopes } from '../../auth/scopes.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { RateLimitsModule } from '../../platform/rate-limits/rate-limits.module.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { ApiKey } from './api-key.entity.js';
import { ApiKeyAdmission } from './api-key.admission.js';
import { ApiKeyNarrowing } from './api-key.narrowing.js';
import { ApiKeyRequests } from './api-key.requests.js';
import { ApiKeyRotation } from './api-key.rotation.js';
import { ApiKeyStrategy } from './api-key.strategy.js';
import { ApiKeyVerifier } from './api-key.verifier.js';
import { ApiKeysHousekeeping } from './api-keys.housekeeping.js';
import { ApiKeysService } from './api-keys.service.js';
import { NewKeys } from './new-keys.js';
import { z } from 'zod';
import { defineSettings, type SettingsOf } from '../../platform/config/settings.js';
import { ApiKeys1795300000028 } from '../../../migrations/1795300000028-api-keys.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { defineSecretFields } from '../../platform/logging/secret-fields.js';
import { defineTag } from '../../web/openapi/tags.js';
import { defineCommand } from '../../platform/commands/commands.js';

defineCommand('api-keys:create', {
  about: 'Creates an API key. Prints the key on standard output, and nothing else there.',
  load: () => import('./create-key.command.js'),
});
defineCommand('api-keys:revoke', {
  about: 'Revokes an API key on all nodes.',
  load: () => import('./revoke-key.command.js'),
});

defineTag('api-keys', 'Keys of machines');

defineSecretFields('x-api-key', 'key');

declare module '../../platform/revocations/revocation.entity.js' {
  interface RevocationKinds {
    'api-key': true;
  }
}

defineMigrations(ApiKeys1795300000028);

const settings = defineSettings({
  API_KEY_ENVIRONMENT: (production) =>
    z
      .string()
      .regex(/^[a-z0-9]{1,16}$/, 'must be 1 to 16 lower-case letters or digits')
      .default(production ? 'live' : 'test'),
});

declare module '../../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

declare module '../../auth/scopes.js' {
  interface Scopes {
    'api-keys:read': true;
    'api-keys:write': true;
  }
}

defineScopes({
  'api-keys:read': { about: 'See your API keys' },
  'api-keys:write': { about: 'Create, change and revoke your API keys' },
});

@Module({
  imports: [
    TypeOrmModule.forFeature([ApiKey]),
    SubjectsModule,
    HousekeepingModule,
    RateLimitsModule,
    RevocationsModule,
  ],
  providers: [
    ApiKeyAdmission,
    ApiKeyNarrowing,
    ApiKeyRequests,
    ApiKeyRotation,
    ApiKeyStrategy,
    ApiKeysHousekeeping,
    ApiKeysService,
    ApiKeyVerifier,
    NewKeys,
  ],
  exports: [ApiKeyAdmission, ApiKeyNarrowing, ApiKeyRequests, ApiKeyRotation, ApiKeysService, ApiKeyVerifier],
})
export class ApiKeysModule {}
