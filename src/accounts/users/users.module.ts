import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccountTakeover } from './account-takeover.js';
import { EmailVerification } from './email-verification.entity.js';
import { EmailVerificationsHousekeeping } from './email-verifications.housekeeping.js';
import { EmailVerificationsService } from './email-verifications.service.js';
import { Registration } from './registration.entity.js';
import { RegistrationsHousekeeping } from './registrations.housekeeping.js';
import { RegistrationsService } from './registrations.service.js';
import { Subject } from './subject.entity.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';
import { VerifyPageController } from './verify-page.controller.js';
import { CryptoModule } from '../../platform/crypto/crypto.module.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { RateLimitsModule } from '../../platform/rate-limits/rate-limits.module.js';
import { defineScopes } from '../../auth/scopes.js';
import { Subjects1795300000021 } from '../../../migrations/1795300000021-subjects.js';
import { Users1795300000022 } from '../../../migrations/1795300000022-users.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { defineTag } from '../../web/openapi/tags.js';

defineTag('users', 'Registration, profile, password and email verification');

defineMigrations(Subjects1795300000021, Users1795300000022);

declare module '../../auth/scopes.js' {
  interface Scopes {
    'profile:read': true;
    'profile:write': true;
  }
}

defineScopes({
  'profile:read': { about: 'Read your profile' },
  'profile:write': { about: 'Change your profile' },
});

@Module({
  imports: [
    TypeOrmModule.forFeature([Subject, User, Registration, EmailVerification]),
    CryptoModule,
    HousekeepingModule,
    MailModule,
    RateLimitsModule,
  ],
  controllers: [UsersController, VerifyPageController],
  providers: [
    AccountTakeover,
    EmailVerificationsHousekeeping,
    EmailVerificationsService,
    RegistrationsHousekeeping,
    RegistrationsService,
    UsersService,
  ],
  exports: [AccountTakeover, EmailVerificationsService, UsersService],
})
export class UsersModule {}
