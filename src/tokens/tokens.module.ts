import { Module, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CarrierRegistry } from '../sign-ins/carriers.js';
import { SignInsModule } from '../sign-ins/sign-ins.module.js';
import { AccessTokenIssuer } from './access-token.issuer.js';
import { AccessTokenVerifier } from './access-token.verifier.js';
import { JwksController } from './jwks.controller.js';
import { JwtStrategy } from './jwt.strategy.js';
import { RefreshReuse } from './refresh-reuse.js';
import { RefreshToken } from './refresh-token.entity.js';
import { RefreshTokensService } from './refresh-tokens.service.js';
import { SigningKey } from './signing-key.entity.js';
import { SigningKeysService } from './signing-keys.service.js';
import { TokenGrant } from './token-grant.entity.js';
import { TokensController } from './tokens.controller.js';
import { TokensService } from './tokens.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([TokenGrant, RefreshToken, SigningKey]), SignInsModule],
  controllers: [TokensController, JwksController],
  providers: [
    AccessTokenIssuer,
    AccessTokenVerifier,
    JwtStrategy,
    RefreshReuse,
    RefreshTokensService,
    SigningKeysService,
    TokensService,
  ],
})
export class TokensModule implements OnModuleInit {
  constructor(
    private readonly carriers: CarrierRegistry,
    private readonly tokens: TokensService,
  ) {}

  onModuleInit(): void {
    this.carriers.register(this.tokens);
  }
}
