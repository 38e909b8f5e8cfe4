import { Inject, Injectable } from '@nestjs/common';
import { SignJWT } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { Clock } from '../clock/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import { SecurityLog } from '../logging/security-log.js';
import type { SignIn } from '../sign-ins/sign-in.entity.js';
import { ACCESS_TOKEN_TYPE } from './access-token.js';
import { SigningKeysService } from './signing-keys.service.js';
import type { Grant } from './token-grant.entity.js';

/** Of a sign-in, what a token says about it. */
export type TokenSignIn = Pick<SignIn, 'id' | 'userId' | 'amr' | 'authTime' | 'expiresAt'>;

export interface IssuedAccessToken {
  readonly text: string;
  readonly lifetimeSeconds: number;
}

const seconds = (ms: number) => Math.floor(ms / 1000);

/** Signs access tokens (RFC 9068): ids, scopes and times, and nothing personal. */
@Injectable()
export class AccessTokenIssuer {
  constructor(
    private readonly keys: SigningKeysService,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async issue(signIn: TokenSignIn, grant: Grant): Promise<IssuedAccessToken> {
    const key = await this.keys.signer();
    const now = this.clock.now().getTime();
    const iat = seconds(now);
    const exp = seconds(Math.min(now + this.config.ACCESS_TOKEN_TTL, signIn.expiresAt.getTime()));
    const jti = uuidv7();
    const text = await new SignJWT({
      iss: this.config.ISSUER,
      aud: grant.audience,
      sub: signIn.userId,
      exp,
      iat,
      jti,
      sid: signIn.id,
      scope: grant.scopes.join(' '),
      auth_time: seconds(signIn.authTime.getTime()),
      amr: signIn.amr,
      client_id: grant.clientId,
    })
      .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: ACCESS_TOKEN_TYPE })
      .sign(key.privateKey);
    this.log.happened('token.issued', { userId: signIn.userId, credentialId: jti, signInId: signIn.id });
    return { text, lifetimeSeconds: exp - iat };
  }
}
