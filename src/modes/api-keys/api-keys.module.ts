import { Module, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ModeRegistry } from '../../auth/mode-registry.js';
import { defineScopes, machineScopes } from '../../auth/scopes.js';
import { authorizationScheme } from '../../auth/presented-credential.js';
import { SignInsModule } from '../../accounts/sign-ins/sign-ins.module.js';
import { AccountTakeover } from '../../accounts/users/account-takeover.js';
import { UsersModule } from '../../accounts/users/users.module.js';
import { ApiKey } from './api-key.entity.js';
import { ApiKeyAdmission } from './api-key.admission.js';
import { ApiKeyNarrowing } from './api-key.narrowing.js';
import { ApiKeyNotices } from '../../extras/api-key-alerts/api-key.notices.js';
import { ApiKeyOwners } from './api-key.owners.js';
import { ApiKeyRequests } from './api-key.requests.js';
import { ApiKeyRotation } from './api-key.rotation.js';
import { ApiKeyStrategy } from './api-key.strategy.js';
import { ApiKeyVerifier } from './api-key.verifier.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysHousekeeping } from './api-keys.housekeeping.js';
import { ApiKeysService } from './api-keys.service.js';
import { LeakReportsController } from '../../extras/api-key-alerts/leak-reports.controller.js';
import { LeakReportsService } from '../../extras/api-key-alerts/leak-reports.service.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { RateLimitsModule } from '../../platform/rate-limits/rate-limits.module.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
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

declare module '../../auth/auth-modes.js' {
  interface AuthModes {
    'api-key': true;
  }
}

@Module({
  imports: [
    TypeOrmModule.forFeature([ApiKey]),
    SignInsModule,
    UsersModule,
    HousekeepingModule,
    MailModule,
    RateLimitsModule,
    RevocationsModule,
  ],
  controllers: [ApiKeysController, LeakReportsController],
  providers: [
    ApiKeyAdmission,
    ApiKeyNarrowing,
    ApiKeyNotices,
    ApiKeyOwners,
    ApiKeyRequests,
    ApiKeyRotation,
    ApiKeysHousekeeping,
    ApiKeysService,
    ApiKeyVerifier,
    LeakReportsService,
  ],
  exports: [
    ApiKeyAdmission,
    ApiKeyNarrowing,
    ApiKeyNotices,
    ApiKeyRequests,
    ApiKeyRotation,
    ApiKeysService,
    ApiKeyVerifier,
  ],
})
export class ApiKeysModule implements OnModuleInit {
  constructor(
    private readonly modes: ModeRegistry,
    private readonly verifier: ApiKeyVerifier,
    private readonly takeover: AccountTakeover,
    private readonly keys: ApiKeysService,
  ) {}

  onModuleInit(): void {
    this.takeover.register((manager, userId) => this.keys.revokeAll(manager, userId));
    this.modes.register({
      name: 'api-key',
      scheme: 'ApiKey',
      carries: 'machine',
      ambient: false,
      canHold: (scope) => machineScopes().includes(scope),
      strategies: {
        'api-key': new ApiKeyStrategy(this.verifier, 'X-API-Key'),
        'api-key-authorization': new ApiKeyStrategy(this.verifier, 'Authorization', /^ApiKey +/i),
      },
      presented: (request) => {
        if (request.headers['x-api-key'] !== undefined) return 'api-key';
        return authorizationScheme(request) === 'apikey' ? 'api-key-authorization' : undefined;
      },
      securityScheme: {
        type: 'apiKey',
        in: 'header',
        name: 'X-API-Key',
        description: 'A key of a machine. `Authorization: ApiKey <key>` is read too.',
      },
    });
  }
}
