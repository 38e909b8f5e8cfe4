import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeysModule } from '../../modes/api-keys/api-keys.module.js';
import { ServiceAccountsModule } from '../service-accounts/service-accounts.module.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { ApiKeyUsageController } from './api-key-usage.controller.js';
import { ApiKeyUsage, UsageWriter } from './api-key-usage.entity.js';
import { ApiKeyUsageHousekeeping } from './api-key-usage.housekeeping.js';
import { ApiKeyUsageService } from './api-key-usage.service.js';
import { ServiceAccountUsageController } from './service-account-usage.controller.js';
import { UsageBatches } from './usage-batches.js';
import { UsageRecorder } from './usage-recorder.js';
import { ApiKeyUsage1795300000030 } from '../../../migrations/1795300000030-api-key-usage.js';
import { definePersonalData } from '../../accounts/subjects/personal-data.js';
import { defineMigrations } from '../../platform/database/migrations.js';

defineMigrations(ApiKeyUsage1795300000030);

definePersonalData(
  'apiKeyUsage',
  `SELECT u.api_key_id AS "apiKeyId", u.hour, u.status_class AS "statusClass", u.requests::float8, u.refusals::float8
   FROM api_key_usage u JOIN api_keys k ON k.id = u.api_key_id WHERE k.owner_id = $1
   ORDER BY u.api_key_id, u.hour, u.status_class`,
);

@Module({
  imports: [
    TypeOrmModule.forFeature([ApiKeyUsage, UsageWriter]),
    ApiKeysModule,
    ServiceAccountsModule,
    HousekeepingModule,
  ],
  controllers: [ApiKeyUsageController, ServiceAccountUsageController],
  providers: [ApiKeyUsageHousekeeping, ApiKeyUsageService, UsageBatches, UsageRecorder],
})
export class ApiKeyUsageModule {}
