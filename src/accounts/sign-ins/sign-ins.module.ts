import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AttemptLimitsModule } from '../attempt-limits/attempt-limits.module.js';
import { UsersModule } from '../users/users.module.js';
import { ActingSignIn } from './acting-sign-in.js';
import { CarrierRegistry } from './carriers.js';
import { ConfirmationsController } from './confirmations.controller.js';
import { ConfirmationsService } from './confirmations.service.js';
import { PasswordCheck } from './password-check.js';
import { PasswordController } from './password.controller.js';
import { PasswordsService } from './passwords.service.js';
import { ProofRegistry } from './proofs.js';
import { ReauthenticationService } from './reauthentication.service.js';
import { SignIn } from './sign-in.entity.js';
import { SignInsController } from './sign-ins.controller.js';
import { SignInsHousekeeping } from './sign-ins.housekeeping.js';
import { SignInsService } from './sign-ins.service.js';
import { SigningInService } from './signing-in.service.js';
import { CryptoModule } from '../../platform/crypto/crypto.module.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { defineScopes } from '../../auth/scopes.js';
import { SignIns1795300000023 } from '../../../migrations/1795300000023-sign-ins.js';
import { definePersonalData } from '../subjects/personal-data.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { defineSecretFields } from '../../platform/logging/secret-fields.js';
import { onRestored } from '../../platform/restored/on-restored.js';
import { defineTag } from '../../web/openapi/tags.js';

defineTag('sessions', 'Sign-ins of a person; sign-in by cookie');

defineSecretFields('currentPassword', 'newPassword');

defineMigrations(SignIns1795300000023);

onRestored({
  table: 'sign_ins',
  first: true,
  ends: 'sign-ins',
  // Expired ones too, because the clock of this machine can be ahead.
  by: `UPDATE sign_ins SET ended_at = $2, end_reason = 'restored from a backup' WHERE id IN (
         SELECT id FROM sign_ins WHERE ended_at IS NULL LIMIT $1)`,
});

definePersonalData(
  'signIns',
  `SELECT id, carrier, amr, auth_time AS "authTime", created_at AS "createdAt", last_seen_at AS "lastSeenAt",
     expires_at AS "expiresAt", ip, user_agent AS "userAgent", ended_at AS "endedAt", end_reason AS "endReason"
   FROM sign_ins WHERE user_id = $1 ORDER BY id`,
);

declare module '../../auth/scopes.js' {
  interface Scopes {
    'account:security': true;
    'sessions:read': true;
    'sessions:write': true;
  }
}

defineScopes({
  'account:security': { about: 'Change your password and prove your identity again', personsOnly: true },
  'sessions:read': { about: 'List your sign-ins' },
  'sessions:write': { about: 'End your sign-ins' },
});

@Module({
  imports: [
    TypeOrmModule.forFeature([SignIn]),
    AttemptLimitsModule,
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
    PasswordCheck,
    PasswordsService,
    ProofRegistry,
    ReauthenticationService,
    SigningInService,
    SignInsHousekeeping,
    SignInsService,
  ],
  exports: [
    ActingSignIn,
    CarrierRegistry,
    ConfirmationsService,
    ProofRegistry,
    ReauthenticationService,
    SigningInService,
    SignInsService,
  ],
})
export class SignInsModule {}
