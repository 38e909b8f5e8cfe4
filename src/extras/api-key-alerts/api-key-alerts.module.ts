import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeysModule } from '../../modes/api-keys/api-keys.module.js';
import { Anomalies } from './anomalies.js';
import { ApiKeyNotices } from './api-key.notices.js';
import { ApiKeyAnomaly, ApiKeyNetwork, ApiKeyWarningMail } from './api-key-alerts.entity.js';
import { ApiKeyAlertsHousekeeping } from './api-key-alerts.housekeeping.js';
import { LeakReportsController } from './leak-reports.controller.js';
import { LeakReportsService } from './leak-reports.service.js';
import { NetworkWatch } from './network-watch.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { UsersModule } from '../../accounts/users/users.module.js';
import { ApiKeyUsageModule } from '../api-key-usage/api-key-usage.module.js';
import { ServiceAccountsModule } from '../service-accounts/service-accounts.module.js';
import { ServiceAccountWarningsController } from './service-account-warnings.controller.js';
import { VolumeWatch } from './volume-watch.js';
import { Warnings } from './warnings.js';
import { WarningsController } from './warnings.controller.js';
import { ApiKeyAlerts1795300000031 } from '../../../migrations/1795300000031-api-key-alerts.js';
import { definePersonalData } from '../../accounts/subjects/personal-data.js';
import { defineMigrations } from '../../platform/database/migrations.js';

defineMigrations(ApiKeyAlerts1795300000031);

definePersonalData(
  'apiKeyNetworks',
  `SELECT n.lineage_id AS "lineageId", n.network, n.last_seen_at AS "lastSeenAt"
   FROM api_key_networks n JOIN api_keys k ON k.id = n.lineage_id WHERE k.owner_id = $1 ORDER BY n.lineage_id, n.network`,
);
definePersonalData(
  'apiKeyAnomalies',
  `SELECT a.api_key_id AS "apiKeyId", a.kind, a.about, a.observed::float8, a.usual::float8, a.noticed_at AS "noticedAt",
     a.mailed_at AS "mailedAt"
   FROM api_key_anomalies a JOIN api_keys k ON k.id = a.api_key_id WHERE k.owner_id = $1 ORDER BY a.noticed_at`,
);
definePersonalData(
  'apiKeyWarningMails',
  `SELECT m.api_key_id AS "apiKeyId", m.warning, m.mailed_at AS "mailedAt"
   FROM api_key_warning_mails m JOIN api_keys k ON k.id = m.api_key_id WHERE k.owner_id = $1 ORDER BY m.mailed_at`,
);

@Module({
  imports: [
    TypeOrmModule.forFeature([ApiKeyAnomaly, ApiKeyNetwork, ApiKeyWarningMail]),
    ApiKeysModule,
    ApiKeyUsageModule,
    ServiceAccountsModule,
    HousekeepingModule,
    MailModule,
    RevocationsModule,
    UsersModule,
  ],
  controllers: [LeakReportsController, WarningsController, ServiceAccountWarningsController],
  providers: [
    Anomalies,
    ApiKeyAlertsHousekeeping,
    ApiKeyNotices,
    LeakReportsService,
    NetworkWatch,
    VolumeWatch,
    Warnings,
  ],
})
export class ApiKeyAlertsModule {}
