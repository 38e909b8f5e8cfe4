import { Module, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
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

@Module({
  imports: [TypeOrmModule.forFeature([ApiKey]), SignInsModule, UsersModule],
  controllers: [ApiKeysController, LeakReportsController],
  providers: [
    ApiKeyAdmission,
    ApiKeyNarrowing,
    ApiKeyNotices,
    ApiKeyOwners,
    ApiKeyRequests,
    ApiKeyRotation,
    ApiKeyStrategy,
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
    private readonly takeover: AccountTakeover,
    private readonly keys: ApiKeysService,
  ) {}

  onModuleInit(): void {
    this.takeover.register((manager, userId) => this.keys.revokeAll(manager, userId));
  }
}
