import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { whyOver } from '../../accounts/sign-ins/live-sign-in.js';
import { SignInsService } from '../../accounts/sign-ins/sign-ins.service.js';
import { heldScopes } from '../../auth/scopes.js';
import { RefreshTokensService } from './refresh-tokens.service.js';
import type { ActiveToken, RevocableToken, TokenKind } from './token-kinds.js';

const seconds = (time: Date) => Math.floor(time.getTime() / 1000);

/** Refresh tokens as a kind of token: looked at without being used. */
@Injectable()
export class RefreshKind implements TokenKind {
  readonly name = 'refresh';

  constructor(
    private readonly refreshTokens: RefreshTokensService,
    private readonly signIns: SignInsService,
    private readonly clock: Clock,
  ) {}

  recognises(text: string): boolean {
    return text.startsWith('rt_');
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
      },
    };
  }

  /** Used ones too: within REFRESH_REUSE_GRACE one would still get a pair. Expired ones too: an access token may be alive. */
  async findToRevoke(text: string): Promise<RevocableToken | undefined> {
    const found = await this.refreshTokens.find(text);
    if (!found || found.endReason !== null) return undefined;
    const { id, userId } = found;
    return {
      subject: userId,
      credentialId: id,
      // Without it nothing carries the sign-in (RFC 7009 2.1: the access tokens of the grant end too).
      revoke: async () => void (await this.signIns.end(userId, id, 'refresh token revoked')),
    };
  }
}
