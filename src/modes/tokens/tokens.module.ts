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

@Module({
  imports: [TypeOrmModule.forFeature([TokenGrant, RefreshToken]), SignInsModule],
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
