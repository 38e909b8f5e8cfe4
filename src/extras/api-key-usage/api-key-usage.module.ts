import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeysModule } from '../../modes/api-keys/api-keys.module.js';
import { ServiceAccountsModule } from '../service-accounts/service-accounts.module.js';
import { ApiKeyUsageController } from './api-key-usage.controller.js';
import { ApiKeyUsage, UsageWriter } from './api-key-usage.entity.js';
import { ApiKeyUsageHousekeeping } from './api-key-usage.housekeeping.js';
import { ApiKeyUsageService } from './api-key-usage.service.js';
import { ServiceAccountUsageController } from './service-account-usage.controller.js';
import { UsageBatches } from './usage-batches.js';
import { UsageRecorder } from './usage-recorder.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { ApiKeyUsage1795300000030 } from '../../../migrations/1795300000030-api-key-usage.js';
import { defineMigrations } from '../../platform/database/migrations.js';

defineMigrations(ApiKeyUsage1795300000030);

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
