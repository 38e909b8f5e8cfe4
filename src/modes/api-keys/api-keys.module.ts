import { Module, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ModeRegistry } from '../../auth/mode-registry.js';
import { authorizationScheme } from '../../auth/presented-credential.js';
import { SubjectsModule } from '../../accounts/subjects/subjects.module.js';
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
import { keyMayHold } from './api-keys.schemas.js';
import { ApiKeysHousekeeping } from './api-keys.housekeeping.js';
import { ApiKeysService } from './api-keys.service.js';
import { NewKeys } from './new-keys.js';

declare module '../../auth/auth-modes.js' {
  interface AuthModes {
    'api-key': true;
  }
}

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
    ApiKeysHousekeeping,
    ApiKeysService,
    ApiKeyVerifier,
    NewKeys,
  ],
  exports: [ApiKeyAdmission, ApiKeyNarrowing, ApiKeyRequests, ApiKeyRotation, ApiKeysService, ApiKeyVerifier],
})
export class ApiKeysModule implements OnModuleInit {
  constructor(
    private readonly modes: ModeRegistry,
    private readonly verifier: ApiKeyVerifier,
  ) {}

  onModuleInit(): void {
    this.modes.register({
      name: 'api-key',
      scheme: 'ApiKey',
      carries: 'machine',
      ambient: false,
      canHold: keyMayHold,
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
