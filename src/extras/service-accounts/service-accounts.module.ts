import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SubjectsModule } from '../../accounts/subjects/subjects.module.js';
import { ApiKeysModule } from '../../modes/api-keys/api-keys.module.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { ServiceAccount } from './service-account.entity.js';
import { ServiceAccountsService } from './service-accounts.service.js';
import { defineScopes } from '../../auth/scopes.js';
import { defineCommand } from '../../platform/commands/commands.js';
import { ServiceAccounts1795300000029 } from '../../../migrations/1795300000029-service-accounts.js';
import { defineMigrations } from '../../platform/database/migrations.js';

defineCommand('service-accounts:create', {
  about: 'Creates a service account. Standard output contains only its id.',
  load: () => import('./create-service-account.command.js'),
});

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
  imports: [TypeOrmModule.forFeature([ServiceAccount]), SubjectsModule, ApiKeysModule, RevocationsModule],
  providers: [ServiceAccountsService],
  exports: [ServiceAccountsService],
})
export class ServiceAccountsModule {}
