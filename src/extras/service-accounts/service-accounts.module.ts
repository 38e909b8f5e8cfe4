import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeysModule } from '../../modes/api-keys/api-keys.module.js';
import { SignInsModule } from '../../accounts/sign-ins/sign-ins.module.js';
import { ServiceAccountKeysController } from './service-account-keys.controller.js';
import { ServiceAccount } from './service-account.entity.js';
import { ServiceAccountsController } from './service-accounts.controller.js';
import { ServiceAccountsService } from './service-accounts.service.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { defineScopes } from '../../auth/scopes.js';
import { ServiceAccounts1795300000029 } from '../../../migrations/1795300000029-service-accounts.js';
import { defineMigrations } from '../../platform/database/migrations.js';

defineMigrations(ServiceAccounts1795300000029);

declare module '../../auth/scopes.js' {
  interface Scopes {
    'admin:service-accounts': true;
  }
}

defineScopes({
  'admin:service-accounts': { about: 'Manage service accounts and their keys', role: 'admin' },
});

@Module({
  imports: [TypeOrmModule.forFeature([ServiceAccount]), ApiKeysModule, SignInsModule, RevocationsModule],
  controllers: [ServiceAccountsController, ServiceAccountKeysController],
  providers: [ServiceAccountsService],
  exports: [ServiceAccountsService],
})
export class ServiceAccountsModule {}
