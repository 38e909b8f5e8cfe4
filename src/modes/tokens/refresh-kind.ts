import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { acrOf, whyOver } from '../../accounts/sign-ins/live-sign-in.js';
import { SignInsService } from '../../accounts/sign-ins/sign-ins.service.js';
import { heldScopes } from '../../auth/scopes.js';
import { defineCredentialKind } from '../../auth/credential-kinds.js';
import { REFRESH_COOKIE } from './refresh-cookie.js';
import { isRefreshToken, REFRESH_PREFIX, RefreshTokensService } from './refresh-tokens.service.js';
import type { ActiveToken, RevocableToken, TokenKind } from './token-kinds.js';

const seconds = (time: Date) => Math.floor(time.getTime() / 1000);

/** Refresh tokens for introspection and revocation, which do not use them up. */
@Injectable()
export class RefreshKind implements TokenKind {
  readonly name = 'refresh';

  constructor(
    private readonly refreshTokens: RefreshTokensService,
    private readonly signIns: SignInsService,
    private readonly clock: Clock,
  ) {}

  recognises(text: string): boolean {
    return text.startsWith(REFRESH_PREFIX);
  }

  async find(text: string): Promise<ActiveToken | undefined> {
    const found = await this.refreshTokens.find(text);
    const now = this.clock.now();
    if (!found || found.usedAt || found.refreshExpiresAt <= now || whyOver(found, now)) return undefined;
    const { id: sid, userId, clientId, audience: aud } = found;
    return {
      subject: userId,
      members: {
        scope: heldScopes(found.scopes, found.roles).join(' '),
        client_id: clientId,
        aud,
        iat: seconds(found.createdAt),
        exp: seconds(found.refreshExpiresAt),
        sid,
        auth_time: seconds(found.authTime),
        amr: found.amr,
        acr: acrOf(found.secondFactorAt),
      },
    };
  }

  /**
   * Includes used tokens, which still get a pair within REFRESH_REUSE_GRACE, and expired ones, because an access token of
   * the sign-in can still work.
   */
  async findToRevoke(text: string): Promise<RevocableToken | undefined> {
    const found = await this.refreshTokens.find(text);
    if (!found || found.endReason !== null) return undefined;
    const { id, userId } = found;
    return {
      subject: userId,
      credentialId: id,
      // The sign-in ends with its refresh token, and so do the access tokens of the grant (RFC 7009 section 2.1).
      revoke: (manager) => this.signIns.endThese(manager, [id], 'refresh token revoked'),
    };
  }
}

defineCredentialKind({
  name: 'refresh token',
  places: [{ type: 'cookie', name: REFRESH_COOKIE.name }],
  recognises: (text) => text.startsWith(REFRESH_PREFIX),
  examine: (text) => ({
    prefix: REFRESH_PREFIX,
    faults: isRefreshToken(text) ? [] : ['malformed'],
    facts: [['sent to', 'POST /v1/tokens/refresh only']],
    unchecked: 'whether the server knows it, and whether it was used, has expired or is revoked',
  }),
});
