import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { AccessTokenIssuer } from './access-token.issuer.js';
import { isMachine } from './access-token.js';
import { AccessTokenVerifier } from './access-token.verifier.js';
import { JwtPrincipals } from './jwt-principals.js';
import { RevokedTokens } from './revoked-tokens.js';
import type { Grant } from '../tokens/token-grant.entity.js';
import type {
  ActiveToken,
  IssuedAccessToken,
  RevocableToken,
  TokenKind,
  TokenSignIn,
} from '../tokens/token-kinds.js';

/** JWTs for sign-ins, introspection and revocation. */
@Injectable()
export class JwtTokens implements TokenKind {
  readonly name = 'jwt';

  constructor(
    private readonly issuer: AccessTokenIssuer,
    private readonly verifier: AccessTokenVerifier,
    private readonly principals: JwtPrincipals,
    private readonly revoked: RevokedTokens,
  ) {}

  recognises(text: string): boolean {
    return text.includes('.');
  }

  issue(signIn: TokenSignIn, grant: Grant, manager?: EntityManager): Promise<IssuedAccessToken> {
    return this.issuer.issue(signIn, grant, manager);
  }

  async find(text: string): Promise<ActiveToken | undefined> {
    try {
      const claims = await this.verifier.verify(text);
      const principal = await this.principals.live(claims);
      const { client_id, jti, aud, iat, exp, sid, auth_time, amr, acr } = claims;
      const scope = [...principal.scopes].join(' ');
      return {
        subject: claims.sub,
        members: { token_type: 'Bearer', scope, client_id, jti, aud, iat, exp, sid, auth_time, amr, acr },
      };
    } catch (error) {
      return undefinedIfInvalid(error);
    }
  }

  async findToRevoke(text: string): Promise<RevocableToken | undefined> {
    const claims = await this.verifier.verify(text).catch(undefinedIfInvalid);
    if (!claims || (await this.revoked.has(claims))) return undefined;
    return {
      subject: claims.sub,
      credentialId: claims.jti,
      ...(isMachine(claims) && { keyId: claims.client_id }),
      revoke: (manager) => this.revoked.add(manager, claims),
    };
  }
}

function undefinedIfInvalid(error: unknown): undefined {
  if (!(error instanceof InvalidCredentialError)) throw error;
}
