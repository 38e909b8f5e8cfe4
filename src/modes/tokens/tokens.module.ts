import { Module, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CarrierRegistry } from '../../accounts/sign-ins/carriers.js';
import { SignInsModule } from '../../accounts/sign-ins/sign-ins.module.js';
import { RefreshKind } from './refresh-kind.js';
import { RefreshReuse } from './refresh-reuse.js';
import { RefreshToken } from './refresh-token.entity.js';
import { RefreshTokensHousekeeping } from './refresh-tokens.housekeeping.js';
import { RefreshTokensService } from './refresh-tokens.service.js';
import { TokenGrant } from './token-grant.entity.js';
import { TokenKinds } from './token-kinds.js';
import { TokensController } from './tokens.controller.js';
import { TokensService } from './tokens.service.js';
import './tokens.settings.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { RateLimitsModule } from '../../platform/rate-limits/rate-limits.module.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { Tokens1795300000025 } from '../../../migrations/1795300000025-tokens.js';
import { definePersonalData } from '../../accounts/subjects/personal-data.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { defineSecretFields } from '../../platform/logging/secret-fields.js';
import { staysRestored } from '../../platform/restored/on-restored.js';
import { defineTag } from '../../web/openapi/tags.js';

defineTag('tokens', 'Sign-in by token, and the public keys that verify tokens');

defineSecretFields('__Host-refresh', 'access_token', 'refresh_token', 'refreshToken');

declare module '../../accounts/sign-ins/sign-in.entity.js' {
  interface Carriers {
    token: true;
  }
}

defineMigrations(Tokens1795300000025);

staysRestored('refresh_tokens', 'the sign-in of each has ended');

definePersonalData(
  'tokenGrants',
  `SELECT g.sign_in_id AS "signInId", g.client_id AS "clientId", g.scopes, g.audience, g.refresh_in AS "refreshIn", g.format
   FROM token_grants g JOIN sign_ins s ON s.id = g.sign_in_id WHERE s.user_id = $1 ORDER BY s.id`,
);
definePersonalData(
  'refreshTokens',
  `SELECT t.sign_in_id AS "signInId", t.created_at AS "createdAt", t.expires_at AS "expiresAt", t.used_at AS "usedAt"
   FROM refresh_tokens t JOIN sign_ins s ON s.id = t.sign_in_id WHERE s.user_id = $1 ORDER BY t.id`,
);

@Module({
  imports: [
    TypeOrmModule.forFeature([TokenGrant, RefreshToken]),
    SignInsModule,
    HousekeepingModule,
    MailModule,
    RateLimitsModule,
    RevocationsModule,
  ],
  controllers: [TokensController],
  providers: [
    RefreshKind,
    RefreshReuse,
    RefreshTokensHousekeeping,
    RefreshTokensService,
    TokenKinds,
    TokensService,
  ],
  exports: [RefreshTokensService, TokenKinds, TokensService],
})
export class TokensModule implements OnModuleInit {
  constructor(
    private readonly carriers: CarrierRegistry,
    private readonly tokens: TokensService,
    private readonly kinds: TokenKinds,
    private readonly refreshKind: RefreshKind,
  ) {}

  onModuleInit(): void {
    this.carriers.register(this.tokens);
    this.kinds.register(this.refreshKind);
  }
}
