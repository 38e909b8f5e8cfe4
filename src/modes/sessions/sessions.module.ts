import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SignInsModule } from '../../accounts/sign-ins/sign-ins.module.js';
import { Session } from './session.entity.js';
import { SessionMode } from './session.mode.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsService } from './sessions.service.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { Sessions1795300000024 } from '../../../migrations/1795300000024-sessions.js';
import { staysRestored } from '../../platform/restored/on-restored.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { defineSecretFields } from '../../platform/logging/secret-fields.js';

defineSecretFields('__Host-session', 'x-csrf-token', 'csrfToken');

declare module '../../accounts/sign-ins/sign-in.entity.js' {
  interface Carriers {
    cookie: true;
  }
}

defineMigrations(Sessions1795300000024);

staysRestored('sessions', 'the sign-in of each has ended');

@Module({
  imports: [TypeOrmModule.forFeature([Session]), SignInsModule, RevocationsModule],
  controllers: [SessionsController],
  providers: [SessionsService, SessionMode],
  exports: [SessionsService],
})
export class SessionsModule {}
