import { Module, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { defineProofFields } from '../../accounts/sign-ins/sign-in-request.js';
import { SignInsModule } from '../../accounts/sign-ins/sign-ins.module.js';
import { definePersonalData } from '../../accounts/subjects/personal-data.js';
import { UsersModule } from '../../accounts/users/users.module.js';
import { defineCommand } from '../../platform/commands/commands.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { defineSecretFields } from '../../platform/logging/secret-fields.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { RateLimitsModule } from '../../platform/rate-limits/rate-limits.module.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { onRestored, staysRestored } from '../../platform/restored/on-restored.js';
import { defineTag } from '../../web/openapi/tags.js';
import { Mfa1795300000040 } from '../../../migrations/1795300000040-mfa.js';
import { EnrolledPasskeys } from './enrolled-passkeys.service.js';
import { FactorChanges } from './factor-changes.service.js';
import { FactorsService, TOTP_AMR } from './factors.service.js';
import { MfaChallenges } from './mfa-challenges.service.js';
import { MfaController } from './mfa.controller.js';
import { MfaChallenge, RecoveryCode, TotpFactor } from './mfa.entity.js';
import { MfaHousekeeping } from './mfa.housekeeping.js';
import { MfaTokenInput, PasskeyAssertion, RecoveryCodeInput, TotpCode } from './mfa.schemas.js';
import { PasskeyChallenges } from './passkey-challenges.js';
import { Passkey, PasskeyChallenge } from './passkey.entity.js';
import { PasskeysController } from './passkeys.controller.js';
import { PasskeysService } from './passkeys.service.js';
import { RecoveryCodesService } from './recovery-codes.service.js';
import { RequiredFactors } from './required-factors.js';
import { SecondFactorMethods } from './second-factor-methods.js';
import { SecondFactors } from './second-factors.js';
import { TotpService } from './totp.service.js';

defineCommand('totp:reencrypt', {
  about: 'Encrypts the secrets of authenticator apps with the first of ENCRYPTION_SECRETS.',
  load: () => import('./reencrypt.command.js'),
});
defineMigrations(Mfa1795300000040);
const STEP = 'floor(extract(epoch FROM $2::timestamptz) / 30)';
onRestored({
  table: 'totp_factors',
  ends: 'codes of authenticator apps',
  // Refuses the codes of this moment, which can have been used after the backup.
  by: `UPDATE totp_factors SET last_step = ${STEP} + 1 WHERE user_id IN (
         SELECT user_id FROM totp_factors WHERE last_step <= ${STEP} LIMIT $1)`,
});
onRestored({
  table: 'totp_factors',
  ends: 'steps of second factors',
  by: `DELETE FROM totp_factors WHERE user_id IN (
         SELECT user_id FROM totp_factors WHERE activated_at IS NULL LIMIT $1)`,
});
onRestored({
  table: 'mfa_challenges',
  ends: 'steps of second factors',
  by: 'DELETE FROM mfa_challenges WHERE token_hash IN (SELECT token_hash FROM mfa_challenges LIMIT $1)',
});
onRestored({
  table: 'passkey_challenges',
  ends: 'steps of second factors',
  by: `DELETE FROM passkey_challenges WHERE challenge_hash IN (
         SELECT challenge_hash FROM passkey_challenges LIMIT $1)`,
});
onRestored({
  table: 'recovery_codes',
  ends: 'recovery codes',
  keep: 'recovery-codes',
  by: `DELETE FROM recovery_codes WHERE (user_id, code_hash) IN (
         SELECT user_id, code_hash FROM recovery_codes LIMIT $1)`,
});
// The counter of an authenticator is ahead of the restored one, so its next use is accepted.
staysRestored('passkeys', 'a passkey answers only new challenges');
definePersonalData(
  'totpFactors',
  'SELECT created_at AS "createdAt", activated_at AS "activatedAt" FROM totp_factors WHERE user_id = $1',
);
definePersonalData(
  'passkeys',
  `SELECT id, name, credential_id AS "credentialId", transports, synced, backed_up AS "backedUp",
     created_at AS "createdAt", last_used_at AS "lastUsedAt"
   FROM passkeys WHERE user_id = $1 ORDER BY id`,
);
defineTag('mfa', 'Second factors: authenticator apps, passkeys and recovery codes');
defineSecretFields('mfaToken', 'totp', 'recoveryCode', 'recoveryCodes', 'otpauthUri', 'qrSvg');

const FACTORS = [{ totp: TotpCode }, { recoveryCode: RecoveryCodeInput }, { passkey: PasskeyAssertion }];
defineProofFields({
  starts: [{ passkey: PasskeyAssertion }],
  continuations: FACTORS.map((factor) => ({ mfaToken: MfaTokenInput, ...factor })),
  reauthentications: FACTORS,
  problems: ['mfa-required'],
});

@Module({
  imports: [
    TypeOrmModule.forFeature([TotpFactor, RecoveryCode, MfaChallenge, Passkey, PasskeyChallenge]),
    HousekeepingModule,
    MailModule,
    RateLimitsModule,
    RevocationsModule,
    SignInsModule,
    UsersModule,
  ],
  controllers: [MfaController, PasskeysController],
  providers: [
    EnrolledPasskeys,
    FactorChanges,
    FactorsService,
    MfaChallenges,
    MfaHousekeeping,
    PasskeyChallenges,
    PasskeysService,
    RecoveryCodesService,
    RequiredFactors,
    SecondFactorMethods,
    SecondFactors,
    TotpService,
  ],
  exports: [SecondFactorMethods],
})
export class MfaModule implements OnModuleInit {
  constructor(
    private readonly methods: SecondFactorMethods,
    private readonly totp: TotpService,
    private readonly codes: RecoveryCodesService,
    private readonly passkeys: PasskeysService,
    private readonly challenges: PasskeyChallenges,
  ) {}

  onModuleInit(): void {
    const ofCode = { amr: TOTP_AMR, secondFactor: true };
    this.methods.register({
      name: 'totp',
      offer: ({ totp }) => (totp ? 'required' : 'none'),
      prove: (code, userId) => ({
        ...ofCode,
        userId: userId!,
        method: 'totp',
        use: (manager, user) => this.totp.use(manager, user.id, code as string),
      }),
    });
    this.methods.register({
      name: 'recoveryCode',
      offer: ({ recoveryCodes }) => (recoveryCodes > 0 ? 'possible' : 'none'),
      prove: (code, userId) => ({
        ...ofCode,
        userId: userId!,
        method: 'recovery code',
        use: (manager, user) => this.codes.use(manager, user, code as string),
      }),
    });
    this.methods.register({
      name: 'passkey',
      offer: ({ passkeys }) => (passkeys > 0 ? 'required' : 'none'),
      further: async ({ id }) => ({ passkeyOptions: await this.challenges.forSignIn(id) }),
      prove: (assertion, userId) => this.passkeys.prove(assertion as PasskeyAssertion, userId),
    });
  }
}
