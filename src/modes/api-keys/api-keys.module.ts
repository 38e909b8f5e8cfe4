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
import { NewKeys } from './api-key.owners.js';
import { ApiKeyRotation } from './api-key.rotation.js';
import { ApiKeyMode } from './api-key.mode.js';
import { ApiKeyVerifier } from './api-key.verifier.js';
import { ApiKeysHousekeeping } from './api-keys.housekeeping.js';
import { ApiKeysService } from './api-keys.service.js';
import { z } from 'zod';
import { defineSettings, type SettingsOf } from '../../platform/config/settings.js';
import { ApiKeys1795300000028 } from '../../../migrations/1795300000028-api-keys.js';
import { definePersonalData } from '../../accounts/subjects/personal-data.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { defineSecretFields } from '../../platform/logging/secret-fields.js';
import { onRestored } from '../../platform/restored/on-restored.js';
import { defineTag } from '../../web/openapi/tags.js';
import { defineCommand } from '../../platform/commands/commands.js';

defineCommand('api-keys:create', {
  about: 'Creates an API key. Standard output contains only the key.',
  load: async () => ({ command: (await import('./api-keys.commands.js')).createKey }),
});
defineCommand('api-keys:revoke', {
  about: 'Revokes an API key on all nodes.',
  load: async () => ({ command: (await import('./api-keys.commands.js')).revokeKey }),
});

defineTag('api-keys', 'API keys of machines');

defineSecretFields('x-api-key', 'key');

declare module '../../platform/revocations/revocation.entity.js' {
  interface RevocationKinds {
    'api-key': true;
  }
}

defineMigrations(ApiKeys1795300000028);

onRestored({
  table: 'api_keys',
  ends: 'API keys',
  keep: 'api-keys',
  // Expired ones too, because the clock of this machine can be ahead.
  by: `UPDATE api_keys SET revoked_at = $2 WHERE id IN (
         SELECT id FROM api_keys WHERE revoked_at IS NULL LIMIT $1)`,
});

definePersonalData(
  'apiKeys',
  `SELECT id, name, prefix, last4, scopes, resources, allowed_cidrs AS "allowedCidrs",
     rate_limit_requests AS "rateLimitRequests", rate_limit_window_seconds AS "rateLimitWindowSeconds",
     lineage_id AS "lineageId", rotated_to AS "rotatedTo", created_at AS "createdAt", expires_at AS "expiresAt",
     last_used_at AS "lastUsedAt", last_network AS "lastNetwork", revoked_at AS "revokedAt"
   FROM api_keys WHERE owner_id = $1 ORDER BY id`,
);

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
  'api-keys:read': { about: 'List your API keys' },
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
    ApiKeyRotation,
    ApiKeyMode,
    ApiKeysHousekeeping,
    ApiKeysService,
    ApiKeyVerifier,
    NewKeys,
  ],
  exports: [ApiKeyAdmission, ApiKeyNarrowing, ApiKeyRotation, ApiKeysService, ApiKeyVerifier],
})
export class ApiKeysModule {}
