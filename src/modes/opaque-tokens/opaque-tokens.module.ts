import { Module, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { defineTokenFormat } from '../tokens/token-formats.js';
import { TokenKinds } from '../tokens/token-kinds.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { OpaqueToken } from './opaque-token.entity.js';
import { OpaqueTokenMode } from './opaque-token.mode.js';
import { OpaqueTokensHousekeeping } from './opaque-tokens.housekeeping.js';
import { OpaqueTokensService } from './opaque-tokens.service.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { OpaqueTokens1795300000027 } from '../../../migrations/1795300000027-opaque-tokens.js';
import { definePersonalData } from '../../accounts/subjects/personal-data.js';
import { defineMigrations } from '../../platform/database/migrations.js';
import { staysRestored } from '../../platform/restored/on-restored.js';

defineMigrations(OpaqueTokens1795300000027);

staysRestored('access_tokens', 'the sign-in of each has ended');

definePersonalData(
  'accessTokens',
  `SELECT t.id, t.sign_in_id AS "signInId", t.scopes, t.audience, t.client_id AS "clientId", t.issued_at AS "issuedAt",
     t.expires_at AS "expiresAt", t.revoked_at AS "revokedAt"
   FROM access_tokens t JOIN sign_ins s ON s.id = t.sign_in_id WHERE s.user_id = $1 ORDER BY t.id`,
);

declare module '../../platform/revocations/revocation.entity.js' {
  interface RevocationKinds {
    token: true;
  }
}

declare module '../tokens/token-formats.js' {
  interface TokenFormats {
    opaque: true;
  }
}
defineTokenFormat('opaque');

@Module({
  imports: [TypeOrmModule.forFeature([OpaqueToken]), TokensModule, HousekeepingModule, RevocationsModule],
  providers: [OpaqueTokensHousekeeping, OpaqueTokensService, OpaqueTokenMode],
})
export class OpaqueTokensModule implements OnModuleInit {
  constructor(
    private readonly kinds: TokenKinds,
    private readonly tokens: OpaqueTokensService,
  ) {}

  onModuleInit(): void {
    this.kinds.register(this.tokens);
  }
}
