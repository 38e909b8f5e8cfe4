import { type DynamicModule, Global, Module } from '@nestjs/common';
import { AdminModule } from './accounts/admin/admin.module.js';
import { JwtModule } from './modes/jwt/jwt.module.js';
import { ApiKeyAlertsModule } from './extras/api-key-alerts/api-key-alerts.module.js';
import { ApiKeyUsageModule } from './extras/api-key-usage/api-key-usage.module.js';
import { ApiKeysModule } from './modes/api-keys/api-keys.module.js';
import { AuthModule } from './auth/auth.module.js';
import { ClockModule } from './platform/clock/clock.js';
import { CONFIG, type Config } from './platform/config/config.js';
import { CryptoModule } from './platform/crypto/crypto.module.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { EventsModule } from './examples/events/events.module.js';
import { HealthModule } from './web/health/health.module.js';
import { HousekeepingModule } from './platform/housekeeping/housekeeping.module.js';
import { LoggingModule } from './platform/logging/logging.module.js';
import { MailModule } from './platform/mail/mail.module.js';
import { OwnApiKeysModule } from './extras/own-api-keys/own-api-keys.module.js';
import { ServiceAccountAdminModule } from './extras/service-account-admin/service-account-admin.module.js';
import { OAuthModule } from './extras/oauth/oauth.module.js';
import { OpaqueTokensModule } from './modes/opaque-tokens/opaque-tokens.module.js';
import { OpenApiModule } from './web/openapi/openapi.module.js';
import { OrdersModule } from './examples/orders/orders.module.js';
import { ProblemsModule } from './web/http/problems.module.js';
import { RateLimitsModule } from './platform/rate-limits/rate-limits.module.js';
import { ReportsModule } from './examples/reports/reports.module.js';
import { RevocationsModule } from './platform/revocations/revocations.module.js';
import { ServiceAccountsModule } from './extras/service-accounts/service-accounts.module.js';
import { SessionsModule } from './modes/sessions/sessions.module.js';
import { SignInsModule } from './accounts/sign-ins/sign-ins.module.js';
import { UsersModule } from './accounts/users/users.module.js';
import { WhoamiModule } from './examples/whoami/whoami.module.js';

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
    JwtModule,
    OpaqueTokensModule,
    ApiKeysModule,
    OAuthModule,
    OwnApiKeysModule,
    ServiceAccountsModule,
    ServiceAccountAdminModule,
    ApiKeyUsageModule,
    ApiKeyAlertsModule,
    // The rooms that use them.
    AdminModule,
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
