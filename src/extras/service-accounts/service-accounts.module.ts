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
