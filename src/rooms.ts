// The rooms of this application, one line each. What they build on (users, sign-ins, mail…) comes along by their imports.
export { AdminModule } from './accounts/admin/admin.module.js';
export { SessionsModule } from './modes/sessions/sessions.module.js';
export { TokensModule } from './modes/tokens/tokens.module.js';
export { SigningKeysAdminModule } from './modes/jwt/signing-keys/admin-signing-keys.module.js';
export { OpaqueTokensModule } from './modes/opaque-tokens/opaque-tokens.module.js';
export { ApiKeysModule } from './modes/api-keys/api-keys.module.js';
export { OAuthModule } from './extras/oauth/oauth.module.js';
export { ServiceAccountsModule } from './extras/service-accounts/service-accounts.module.js';
export { ApiKeyUsageModule } from './extras/api-key-usage/api-key-usage.module.js';
export { ApiKeyAlertsModule } from './extras/api-key-alerts/api-key-alerts.module.js';
export { OrdersModule } from './examples/orders/orders.module.js';
export { EventsModule } from './examples/events/events.module.js';
export { ReportsModule } from './examples/reports/reports.module.js';
export { WhoamiModule } from './examples/whoami/whoami.module.js';
