import { Module } from '@nestjs/common';
import { SignInsModule } from '../sign-ins/sign-ins.module.js';
import { AdminController } from './admin.controller.js';
import { AdminService } from './admin.service.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { defineScopes } from '../../auth/scopes.js';
import { defineTag } from '../../web/openapi/tags.js';
import { defineCommand } from '../../platform/commands/commands.js';

defineCommand('admin:create', {
  about: 'Creates an administrator. Asks for the password, or reads it from standard input.',
  load: () => import('./create-admin.command.js'),
});

defineTag('administration', 'Users, service accounts and signing keys, for administrators');

declare module '../../auth/scopes.js' {
  interface Scopes {
    'admin:users': true;
  }
}

defineScopes({
  'admin:users': { about: 'Manage users and their roles', role: 'admin' },
});

@Module({
  imports: [SignInsModule, RevocationsModule],
  controllers: [AdminController],
  providers: [AdminService],
})
export class AdminModule {}
