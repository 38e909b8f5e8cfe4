import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from '../users/users.module.js';
import { ActingSignIn } from './acting-sign-in.js';
import { CarrierRegistry } from './carriers.js';
import { ConfirmationsController } from './confirmations.controller.js';
import { ConfirmationsService } from './confirmations.service.js';
import { PasswordController } from './password.controller.js';
import { PasswordsService } from './passwords.service.js';
import { SignIn } from './sign-in.entity.js';
import { SignInsController } from './sign-ins.controller.js';
import { SignInsHousekeeping } from './sign-ins.housekeeping.js';
import { SignInsService } from './sign-ins.service.js';
import { CryptoModule } from '../../platform/crypto/crypto.module.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { defineScopes } from '../../auth/scopes.js';
import { SignIns1795300000023 } from '../../../migrations/1795300000023-sign-ins.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { defineSecretFields } from '../../platform/logging/secret-fields.js';
import { defineTag } from '../../web/openapi/tags.js';

defineTag('sessions', 'Sign-ins: by cookie, and the list of all of them');

defineSecretFields('currentPassword', 'newPassword');

defineMigrations(SignIns1795300000023);

declare module '../../auth/scopes.js' {
  interface Scopes {
    'account:security': true;
    'sessions:read': true;
    'sessions:write': true;
  }
}

defineScopes({
  'account:security': { about: 'Change your password and prove your identity again', personsOnly: true },
  'sessions:read': { about: 'See where you are signed in' },
  'sessions:write': { about: 'End your sign-ins' },
});

@Module({
  imports: [
    TypeOrmModule.forFeature([SignIn]),
    UsersModule,
    CryptoModule,
    HousekeepingModule,
    MailModule,
    RevocationsModule,
  ],
  controllers: [SignInsController, PasswordController, ConfirmationsController],
  providers: [
    ActingSignIn,
    CarrierRegistry,
    ConfirmationsService,
    PasswordsService,
    SignInsHousekeeping,
    SignInsService,
  ],
  exports: [ActingSignIn, CarrierRegistry, PasswordsService, SignInsService],
})
export class SignInsModule {}
