import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SubjectsModule } from '../../accounts/subjects/subjects.module.js';
import { ApiKeysModule } from '../../modes/api-keys/api-keys.module.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { ServiceAccount } from './service-account.entity.js';
import { ServiceAccountsService } from './service-accounts.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([ServiceAccount]), SubjectsModule, ApiKeysModule, RevocationsModule],
  providers: [ServiceAccountsService],
  exports: [ServiceAccountsService],
})
export class ServiceAccountsModule {}
