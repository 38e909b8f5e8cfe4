import { Inject, Injectable } from '@nestjs/common';
import { type JWTPayload, SignJWT } from 'jose';
import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { type EventFacts, SecurityLog } from '../../platform/logging/security-log.js';
import { acrOf } from '../../accounts/sign-ins/live-sign-in.js';
import type { SubjectKind } from '../../accounts/subjects/subject.entity.js';
import { SigningKeysService } from './signing-keys/signing-keys.service.js';
import { ACCESS_TOKEN_TYPE } from './access-token.js';
import type { Grant } from '../tokens/token-grant.entity.js';
import type { IssuedAccessToken, TokenSignIn } from '../tokens/token-kinds.js';

/** The fields of an API key that a token is made from. */
export interface TokenKey {
  readonly id: string;
  readonly ownerId: string;
  readonly ownerKind: SubjectKind;
  readonly revision: number;
  readonly expiresAt: Date | null;
}

const seconds = (ms: number) => Math.floor(ms / 1000);

/** Signs access tokens (RFC 9068). They contain ids, scopes and times, but no personal data. */
@Injectable()
export class AccessTokenIssuer {
  constructor(
    private readonly keys: SigningKeysService,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** With a manager, the log entry is written after the transaction has committed. */
  async issue(signIn: TokenSignIn, grant: Grant, manager?: EntityManager): Promise<IssuedAccessToken> {
    const claims = {
      sub: signIn.userId,
      aud: grant.audience,
      scope: grant.scopes.join(' '),
      client_id: grant.clientId,
      sid: signIn.id,
      auth_time: seconds(signIn.authTime.getTime()),
      amr: signIn.amr,
      acr: acrOf(signIn.secondFactorAt),
    };
    const behind = { userId: signIn.userId, signInId: signIn.id };
    return this.#sign(claims, signIn.expiresAt, behind, manager);
  }

  /** Issues a token that expires no later than the key. There is no refresh token. */
  async issueForKey(key: TokenKey, scopes: readonly string[], audience: string): Promise<IssuedAccessToken> {
    const claims = {
      sub: key.ownerId,
      aud: audience,
      scope: scopes.join(' '),
      client_id: key.id,
      key_revision: key.revision,
    };
    const owner = key.ownerKind === 'user' ? { userId: key.ownerId } : { serviceAccountId: key.ownerId };
    return this.#sign(claims, key.expiresAt, { ...owner, keyId: key.id });
  }

  async #sign(
    claims: { sub: string; scope: string } & JWTPayload,
    latest: Date | null,
    behind: EventFacts,
    manager?: EntityManager,
  ): Promise<IssuedAccessToken> {
    const key = await this.keys.signer();
    const now = this.clock.now().getTime();
    const iat = seconds(now);
    const exp = seconds(Math.min(now + this.config.ACCESS_TOKEN_TTL, latest?.getTime() ?? Infinity));
    const jti = uuidv7();
    const text = await new SignJWT({ iss: this.config.ISSUER, ...claims, exp, iat, jti })
      .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: ACCESS_TOKEN_TYPE })
      .sign(key.privateKey);
    const facts = { credentialId: jti, ...behind };
    if (manager) await this.log.record(manager, 'token.issued', facts);
    else this.log.happened('token.issued', facts);
    return { text, lifetimeSeconds: exp - iat };
  }
}
