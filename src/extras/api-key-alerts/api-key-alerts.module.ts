import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeysModule } from '../../modes/api-keys/api-keys.module.js';
import { Anomalies } from './anomalies.js';
import { ApiKeyAnomaly, ApiKeyNetwork, ApiKeyWarningMail } from './api-key-alerts.entity.js';
import { ApiKeyAlertsHousekeeping } from './api-key-alerts.housekeeping.js';
import { NetworkWatch } from './network-watch.js';
import { ServiceAccountsModule } from '../service-accounts/service-accounts.module.js';
import { ServiceAccountWarningsController } from './service-account-warnings.controller.js';
import { VolumeWatch } from './volume-watch.js';
import { Warnings } from './warnings.js';
import { WarningsController } from './warnings.controller.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { ApiKeyAlerts1795300000031 } from '../../../migrations/1795300000031-api-key-alerts.js';
import { defineMigrations } from '../../platform/database/migrations.js';

defineMigrations(ApiKeyAlerts1795300000031);

@Module({
  imports: [
    TypeOrmModule.forFeature([ApiKeyAnomaly, ApiKeyNetwork, ApiKeyWarningMail]),
    ApiKeysModule,
    ServiceAccountsModule,
    HousekeepingModule,
  ],
  controllers: [WarningsController, ServiceAccountWarningsController],
  providers: [Anomalies, ApiKeyAlertsHousekeeping, NetworkWatch, VolumeWatch, Warnings],
})
export class ApiKeyAlertsModule {}
