import { Module, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TokenKinds } from '../tokens/token-kinds.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { OpaqueToken } from './opaque-token.entity.js';
import { OpaqueTokenStrategy } from './opaque-token.strategy.js';
import { OpaqueTokensHousekeeping } from './opaque-tokens.housekeeping.js';
import { OpaqueTokensService } from './opaque-tokens.service.js';
import { HousekeepingModule } from '../../platform/housekeeping/housekeeping.module.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { OpaqueTokens1795300000027 } from '../../../migrations/1795300000027-opaque-tokens.js';
import { defineMigrations } from '../../platform/database/migrations.js';

defineMigrations(OpaqueTokens1795300000027);

@Module({
  imports: [TypeOrmModule.forFeature([OpaqueToken]), TokensModule, HousekeepingModule, RevocationsModule],
  providers: [OpaqueTokensHousekeeping, OpaqueTokensService, OpaqueTokenStrategy],
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
