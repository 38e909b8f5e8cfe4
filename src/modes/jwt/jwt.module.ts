import { Module, type OnModuleInit } from '@nestjs/common';
import { SignInsModule } from '../../accounts/sign-ins/sign-ins.module.js';
import { Instruments } from '../../platform/instruments/instruments.js';
import { reportCache } from '../../platform/revocations/credential-caches.js';
import { RevocationsModule } from '../../platform/revocations/revocations.module.js';
import { defineTokenFormat } from '../tokens/token-formats.js';
import { TokenKinds } from '../tokens/token-kinds.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { AccessTokenIssuer } from './access-token.issuer.js';
import { AccessTokenVerifier } from './access-token.verifier.js';
import { JwtPrincipals } from './jwt-principals.js';
import { JwtMode } from './jwt.mode.js';
import './inspect-token.js';
import { JwtTokens } from './jwt-tokens.js';
import { RevokedTokens } from './revoked-tokens.js';
import { SigningKeysModule } from './signing-keys/signing-keys.module.js';

declare module '../tokens/token-formats.js' {
  interface TokenFormats {
    jwt: true;
  }
}
defineTokenFormat('jwt');

@Module({
  imports: [RevocationsModule, SignInsModule, SigningKeysModule, TokensModule],
  providers: [AccessTokenIssuer, AccessTokenVerifier, JwtPrincipals, JwtMode, JwtTokens, RevokedTokens],
  exports: [AccessTokenIssuer, JwtPrincipals],
})
export class JwtModule implements OnModuleInit {
  constructor(
    private readonly kinds: TokenKinds,
    private readonly tokens: JwtTokens,
    verifier: AccessTokenVerifier,
    instruments: Instruments,
  ) {
    reportCache(instruments, 'verified-jwts', verifier.cache);
  }

  onModuleInit(): void {
    this.kinds.register(this.tokens);
  }
}
