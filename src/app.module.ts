import { type DynamicModule, Global, Module } from '@nestjs/common';
import { AdminModule } from './admin/admin.module.js';
import { SigningKeysAdminModule } from './admin/signing-keys.module.js';
import { ApiKeyAlertsModule } from './api-key-alerts/api-key-alerts.module.js';
import { ApiKeyUsageModule } from './api-key-usage/api-key-usage.module.js';
import { ApiKeysModule } from './api-keys/api-keys.module.js';
import { AuthModule } from './auth/auth.module.js';
import { ClockModule } from './clock/clock.js';
import { CONFIG, type Config } from './config/config.js';
import { CryptoModule } from './crypto/crypto.module.js';
import { DatabaseModule } from './database/database.module.js';
import { EventsModule } from './events/events.module.js';
import { HealthModule } from './health/health.module.js';
import { HousekeepingModule } from './housekeeping/housekeeping.module.js';
import { LoggingModule } from './logging/logging.module.js';
import { MailModule } from './mail/mail.module.js';
import { OAuthModule } from './oauth/oauth.module.js';
import { OpaqueTokensModule } from './opaque-tokens/opaque-tokens.module.js';
import { OpenApiModule } from './openapi/openapi.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { ProblemsModule } from './problems/problems.module.js';
import { RateLimitsModule } from './rate-limits/rate-limits.module.js';
import { ReportsModule } from './reports/reports.module.js';
import { RevocationsModule } from './revocations/revocations.module.js';
import { ServiceAccountsModule } from './service-accounts/service-accounts.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { SignInsModule } from './sign-ins/sign-ins.module.js';
import { TokensModule } from './tokens/tokens.module.js';
import { UsersModule } from './users/users.module.js';
import { WhoamiModule } from './whoami/whoami.module.js';

@Global()
@Module({
  imports: [
    ClockModule,
    LoggingModule,
    CryptoModule,
    DatabaseModule,
    MailModule,
    ProblemsModule,
    RateLimitsModule,
    AuthModule,
    HousekeepingModule,
    RevocationsModule,
    UsersModule,
    SignInsModule,
    // The modes: what is deleted here and in its folder is gone.
    SessionsModule,
    TokensModule,
    OpaqueTokensModule,
    ApiKeysModule,
    OAuthModule,
    ServiceAccountsModule,
    ApiKeyUsageModule,
    ApiKeyAlertsModule,
    // The rooms that use them.
    AdminModule,
    SigningKeysAdminModule,
    HealthModule,
    OpenApiModule,
    OrdersModule,
    EventsModule,
    ReportsModule,
    WhoamiModule,
  ],
  exports: [CONFIG],
})
export class AppModule {
  static with(config: Config): DynamicModule {
    return { module: AppModule, providers: [{ provide: CONFIG, useValue: config }] };
  }
}
