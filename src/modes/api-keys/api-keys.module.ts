import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
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
import { ApiKeysHousekeeping } from './api-keys.housekeeping.js';
import { ApiKeysService } from './api-keys.service.js';
import { NewKeys } from './new-keys.js';

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
