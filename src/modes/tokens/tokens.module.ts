import { Module, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CarrierRegistry } from '../../accounts/sign-ins/carriers.js';
import { SignInsModule } from '../../accounts/sign-ins/sign-ins.module.js';
import { SigningKeysModule } from '../jwt/signing-keys/signing-keys.module.js';
import { AccessTokenIssuer } from '../jwt/access-token.issuer.js';
import { AccessTokenVerifier } from '../jwt/access-token.verifier.js';
import { JwtPrincipals } from '../jwt/jwt-principals.js';
import { JwtStrategy } from '../jwt/jwt.strategy.js';
import { JwtTokens } from '../jwt/jwt-tokens.js';
import { Machines } from '../jwt/machines.js';
import { RefreshKind } from './refresh-kind.js';
import { RefreshReuse } from './refresh-reuse.js';
import { RefreshToken } from './refresh-token.entity.js';
import { RefreshTokensHousekeeping } from './refresh-tokens.housekeeping.js';
import { RefreshTokensService } from './refresh-tokens.service.js';
import { RevokedTokens } from '../jwt/revoked-tokens.js';
import { TokenGrant } from './token-grant.entity.js';
import { TokenKinds } from './token-kinds.js';
import { TokensController } from './tokens.controller.js';
import { TokensService } from './tokens.service.js';
import './tokens.settings.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { Tokens1795300000025 } from '../../../migrations/1795300000025-tokens.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { defineSecretFields } from '../../platform/logging/secret-fields.js';
import { defineTag } from '../../web/openapi/tags.js';

defineTag('tokens', 'Sign-ins by token, and the keys that verify them');

defineSecretFields('__Host-refresh', 'access_token', 'refresh_token', 'refreshToken');

declare module '../../accounts/sign-ins/sign-in.entity.js' {
  interface Carriers {
    token: true;
  }
}

defineMigrations(Tokens1795300000025);

@Module({
  imports: [
    TypeOrmModule.forFeature([TokenGrant, RefreshToken]),
    SigningKeysModule,
    SignInsModule,
    HousekeepingModule,
    MailModule,
    RevocationsModule,
  ],
  controllers: [TokensController],
  providers: [
    AccessTokenIssuer,
    AccessTokenVerifier,
    JwtPrincipals,
    JwtStrategy,
    JwtTokens,
    Machines,
    RefreshKind,
    RefreshReuse,
    RefreshTokensHousekeeping,
    RefreshTokensService,
    RevokedTokens,
    TokenKinds,
    TokensService,
  ],
  exports: [AccessTokenIssuer, Machines, RefreshTokensService, TokenKinds, TokensService],
})
export class TokensModule implements OnModuleInit {
  constructor(
    private readonly carriers: CarrierRegistry,
    private readonly tokens: TokensService,
    private readonly kinds: TokenKinds,
    private readonly jwts: JwtTokens,
    private readonly refreshKind: RefreshKind,
  ) {}

  onModuleInit(): void {
    this.carriers.register(this.tokens);
    this.kinds.register(this.jwts);
    this.kinds.register(this.refreshKind);
  }
}
