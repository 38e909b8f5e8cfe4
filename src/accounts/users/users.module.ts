import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccountTakeover } from './account-takeover.js';
import { EmailVerification } from './email-verification.entity.js';
import { EmailVerificationsHousekeeping } from './email-verifications.housekeeping.js';
import { EmailVerificationsService } from './email-verifications.service.js';
import { PageLinks } from './page-links.js';
import { Registration } from './registration.entity.js';
import { RegistrationsHousekeeping } from './registrations.housekeeping.js';
import { RegistrationsService } from './registrations.service.js';
import { definePersonalData } from '../subjects/personal-data.js';
import { SubjectsModule } from '../subjects/subjects.module.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';
import { VerifyPageController } from './verify-page.controller.js';
import { CryptoModule } from '../../platform/crypto/crypto.module.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { RateLimitsModule } from '../../platform/rate-limits/rate-limits.module.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { defineScopes } from '../../auth/scopes.js';
import { Users1795300000022 } from '../../../migrations/1795300000022-users.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { onRestored, staysRestored } from '../../platform/restored/on-restored.js';
import { defineTag } from '../../web/openapi/tags.js';

defineTag('users', 'Registration, profile, password and email verification');

defineMigrations(Users1795300000022);

staysRestored('users', 'people sign in with the password of the backup');
staysRestored('registrations', 'nobody can confirm one without its link');
onRestored({
  table: 'email_verifications',
  ends: 'links to confirm an address',
  by: 'DELETE FROM email_verifications WHERE token_hash IN (SELECT token_hash FROM email_verifications LIMIT $1)',
});

definePersonalData(
  'registrations',
  'SELECT name, created_at AS "createdAt" FROM registrations WHERE user_id = $1 ORDER BY id',
);

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
    TypeOrmModule.forFeature([User, Registration, EmailVerification]),
    SubjectsModule,
    CryptoModule,
    HousekeepingModule,
    MailModule,
    RateLimitsModule,
    RevocationsModule,
  ],
  controllers: [UsersController, VerifyPageController],
  providers: [
    AccountTakeover,
    EmailVerificationsHousekeeping,
    EmailVerificationsService,
    RegistrationsHousekeeping,
    PageLinks,
    RegistrationsService,
    UsersService,
  ],
  exports: [AccountTakeover, EmailVerificationsService, PageLinks, UsersService],
})
export class UsersModule {}
