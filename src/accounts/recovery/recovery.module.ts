import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Recovery1795300000051 } from '../../../migrations/1795300000051-recovery.js';
import { CryptoModule } from '../../platform/crypto/crypto.module.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { RateLimitsModule } from '../../platform/rate-limits/rate-limits.module.js';
import { onRestored, staysRestored } from '../../platform/restored/on-restored.js';
import { definePersonalData } from '../subjects/personal-data.js';
import { AttemptLimitsModule } from '../attempt-limits/attempt-limits.module.js';
import { SignInsModule } from '../sign-ins/sign-ins.module.js';
import { UsersModule } from '../users/users.module.js';
import { EmailChangesService } from './email-changes.service.js';
import { EmailChange, EmailChangeLink } from './email-change.entity.js';
import { EmailChangesController } from './email-changes.controller.js';
import { EmailChangeLinksService } from './email-change-links.service.js';
import { PasswordReset } from './password-reset.entity.js';
import { PasswordResetsController } from './password-resets.controller.js';
import { PasswordResetLinksService } from './password-reset-links.service.js';
import { RecoveryHousekeeping } from './recovery.housekeeping.js';
import { ResetPageController } from './reset-page.controller.js';
import { PasswordResetsService } from './password-resets.service.js';
import { UndoPageController } from './undo-page.controller.js';

defineMigrations(Recovery1795300000051);

onRestored({
  table: 'password_resets',
  ends: 'links to set a password',
  by: 'DELETE FROM password_resets WHERE token_hash IN (SELECT token_hash FROM password_resets LIMIT $1)',
});
staysRestored('email_changes', 'a change waits for its link, and for the sign-in that requested it');
// A link that undoes a change only gives the account back to its earlier owner, who can need it now.
onRestored({
  table: 'email_change_links',
  ends: 'links to change an address',
  by: `DELETE FROM email_change_links WHERE token_hash IN (
         SELECT token_hash FROM email_change_links WHERE purpose = 'confirm' LIMIT $1)`,
});

definePersonalData(
  'emailChanges',
  `SELECT old_email AS "oldEmail", new_email AS "newEmail", requested_at AS "requestedAt", confirmed_at AS "confirmedAt"
   FROM email_changes WHERE user_id = $1 ORDER BY id`,
);

@Module({
  imports: [
    TypeOrmModule.forFeature([PasswordReset, EmailChange, EmailChangeLink]),
    AttemptLimitsModule,
    CryptoModule,
    HousekeepingModule,
    MailModule,
    RateLimitsModule,
    SignInsModule,
    UsersModule,
  ],
  controllers: [PasswordResetsController, EmailChangesController, ResetPageController, UndoPageController],
  providers: [
    EmailChangesService,
    EmailChangeLinksService,
    PasswordResetLinksService,
    RecoveryHousekeeping,
    PasswordResetsService,
  ],
})
export class RecoveryModule {}
