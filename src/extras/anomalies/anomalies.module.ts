import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { z } from 'zod';
import { Anomalies1795300000080 } from '../../../migrations/1795300000080-anomalies.js';
import { AttemptLimitsModule } from '../../accounts/attempt-limits/attempt-limits.module.js';
import { KnownSources } from '../../accounts/attempt-limits/known-sources.js';
import { RecoveryModule } from '../../accounts/recovery/recovery.module.js';
import { defineProofFields } from '../../accounts/sign-ins/sign-in-request.js';
import { SignInsModule } from '../../accounts/sign-ins/sign-ins.module.js';
import { definePersonalData } from '../../accounts/subjects/personal-data.js';
import type { User } from '../../accounts/users/user.entity.js';
import { UsersModule } from '../../accounts/users/users.module.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { onRestored, staysRestored } from '../../platform/restored/on-restored.js';
import { defineSecretFields } from '../../platform/logging/secret-fields.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { RateLimitsModule } from '../../platform/rate-limits/rate-limits.module.js';
import { MfaModule } from '../mfa/mfa.module.js';
import { MfaTokenInput } from '../mfa/mfa.schemas.js';
import { type Offer, SecondFactorMethods } from '../mfa/second-factor-methods.js';
import { type EnrolledFactors, hasFactor } from '../mfa/second-factors.js';
import { Alarms } from './alarms.service.js';
import './anomalies.settings.js';
import { AnomaliesHousekeeping } from './anomalies.housekeeping.js';
import { Anomaly, AnomalyLink, SignInCode, SignInFailures } from './anomaly.entity.js';
import { AnomalyRecorder } from './anomaly-recorder.js';
import { AnomalyReportsController } from './anomaly-reports.controller.js';
import { AnomalyReports } from './anomaly-reports.service.js';
import { currentSource } from './current-source.js';
import { CODE_DIGITS, EmailCodes } from './email-codes.service.js';
import { NotMePageController } from './not-me-page.controller.js';
import { SignInHistory } from './sign-in-history.js';
import { UsedElsewhere } from './used-elsewhere.js';

defineMigrations(Anomalies1795300000080);
staysRestored('anomaly_links', 'such a link only reports a sign-in, and mails a link to its person');
onRestored({
  table: 'sign_in_codes',
  ends: 'steps of second factors',
  by: 'DELETE FROM sign_in_codes WHERE user_id IN (SELECT user_id FROM sign_in_codes LIMIT $1)',
});
definePersonalData(
  'anomalies',
  `SELECT occasion, signals, score, detected_at AS "detectedAt", ip, device
   FROM anomalies WHERE user_id = $1 ORDER BY id`,
);
definePersonalData(
  'signInFailures',
  'SELECT failures, last_at AS "lastAt" FROM sign_in_failures WHERE user_id = $1',
);
defineSecretFields('emailCode');

const EmailCode = z
  .string()
  .regex(new RegExp(`^\\d{${CODE_DIGITS}}$`), `must be ${CODE_DIGITS} digits`)
  .meta({ description: 'The code from the mail', examples: ['12345678'] });
defineProofFields({ continuations: [{ mfaToken: MfaTokenInput, emailCode: EmailCode }] });

/** RFC 8176. A code by mail is no second factor (NIST SP 800-63B section 3.1.3). */
const PROVEN = { amr: ['otp'], secondFactor: false };

@Module({
  imports: [
    TypeOrmModule.forFeature([Anomaly, AnomalyLink, SignInCode, SignInFailures]),
    AttemptLimitsModule,
    HousekeepingModule,
    MailModule,
    MfaModule,
    RateLimitsModule,
    RecoveryModule,
    SignInsModule,
    UsersModule,
  ],
  controllers: [AnomalyReportsController, NotMePageController],
  providers: [
    Alarms,
    AnomaliesHousekeeping,
    AnomalyRecorder,
    AnomalyReports,
    EmailCodes,
    SignInHistory,
    UsedElsewhere,
  ],
})
export class AnomaliesModule implements OnModuleInit {
  constructor(
    private readonly methods: SecondFactorMethods,
    private readonly sources: KnownSources,
    private readonly history: SignInHistory,
    private readonly codes: EmailCodes,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.methods.register({
      name: 'emailCode',
      offer: (enrolled, user) => this.#offer(enrolled, user),
      further: async (user) => {
        await this.codes.send(user);
        return {};
      },
      prove: (code, userId) => ({
        ...PROVEN,
        userId: userId!,
        method: 'email code',
        use: (manager, user) => this.codes.use(manager, user.id, code as string),
      }),
    });
  }

  /** A person with a second factor always needs it, so that a code by mail never replaces it. */
  async #offer(enrolled: EnrolledFactors, { id: userId }: User): Promise<Offer> {
    await this.history.flush();
    if (hasFactor(enrolled)) return 'none';
    const { known } = await this.sources.of({ userId });
    const attempted = { ...currentSource(), userId, newDevice: known !== 'device' };
    const { score } = await this.history.assess(attempted);
    return score > this.config.ANOMALY_SCORE ? 'required' : 'none';
  }
}
