import { Module } from '@nestjs/common';
import { SignInsModule } from '../../accounts/sign-ins/sign-ins.module.js';
import { ApiKeysModule } from '../../modes/api-keys/api-keys.module.js';
import { ServiceAccountsModule } from '../service-accounts/service-accounts.module.js';
import { Administrators } from './administrators.js';
import { ServiceAccountKeysController } from './service-account-keys.controller.js';
import { ServiceAccountsController } from './service-accounts.controller.js';

@Module({
  imports: [ApiKeysModule, ServiceAccountsModule, SignInsModule],
  controllers: [ServiceAccountsController, ServiceAccountKeysController],
  providers: [Administrators],
})
export class ServiceAccountAdminModule {}
