import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { audiencesOf, ownAudience } from '../../auth/audiences.js';
import { heldScopes, userScopes } from '../../auth/scopes.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { ValidationError } from '../../web/http/validation.js';
import type { Carrier, IssuedCredential } from '../../accounts/sign-ins/carriers.js';
import { SigningInService } from '../../accounts/sign-ins/signing-in.service.js';
import type { SignIn } from '../../accounts/sign-ins/sign-in.entity.js';
import type { User } from '../../accounts/users/user.entity.js';
import { REFRESH_COOKIE } from './refresh-cookie.js';
import { type IssuedRefreshToken, RefreshTokensService } from './refresh-tokens.service.js';
import { FIRST_PARTY, type Grant, type RefreshDelivery, TokenGrant } from './token-grant.entity.js';
import { TokenKinds, type TokenSignIn } from './token-kinds.js';
import type { TokenParameters, TokenRequest, TokenResponse } from './tokens.schemas.js';

/** The pair of access and refresh token that carries a sign-in. */
@Injectable()
export class TokensService implements Carrier {
  readonly name = 'token';
  readonly cookies = [REFRESH_COOKIE];

  constructor(
    private readonly signingIn: SigningInService,
    private readonly kinds: TokenKinds,
    private readonly refreshTokens: RefreshTokensService,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async signIn(request: TokenRequest): Promise<IssuedCredential> {
    const audience = request.parameters?.resource;
    if (audience !== undefined && !audiencesOf(this.config).includes(audience))
      throw new ValidationError([{ pointer: '/resource', detail: 'must be an audience of this server' }]);
    const { signIn, grant, refresh } = await this.signingIn.signIn(request, {
      carrier: this.name,
      lifetimes: { idle: this.config.REFRESH_TOKEN_IDLE_TTL, absolute: this.config.REFRESH_TOKEN_TTL },
      attach: async (manager, signIn, { roles }, parameters) => {
        const grant = this.#grant(parameters, roles);
        await manager.insert(TokenGrant, { signInId: signIn.id, ...grant });
        return { signIn, grant, refresh: await this.refreshTokens.issue(manager, signIn) };
      },
    });
    return this.#respond(signIn, grant, refresh);
  }

  /**
   * `scopes` narrows the new access token but not the grant (RFC 6749 section 6). The scopes of a lost role are left out.
   */
  async refresh(
    refreshToken: string | undefined,
    presentedIn: RefreshDelivery,
    scopes?: string[],
  ): Promise<IssuedCredential> {
    const { family, refresh } = await this.refreshTokens.rotate(refreshToken, presentedIn);
    const grant = { ...family, scopes: heldScopes(scopes ?? family.scopes, family.roles) };
    return this.#respond(family, grant, refresh);
  }

  /** Earlier access tokens end too, because their `auth_time` differs from that of the sign-in. */
  async renew(manager: EntityManager, signIn: SignIn, { roles }: User): Promise<IssuedCredential> {
    const grant = await manager.findOneByOrFail(TokenGrant, { signInId: signIn.id });
    grant.scopes = heldScopes(grant.scopes, roles);
    return this.#respond(signIn, grant, await this.refreshTokens.replace(manager, signIn), manager);
  }

  #grant({ scope, resource, refreshIn, format }: TokenParameters, roles: readonly string[]): Grant {
    const scopes = heldScopes(new Set(scope?.split(' ') ?? userScopes()), roles);
    if (scopes.length === 0)
      throw new ValidationError([
        { pointer: '/scope', detail: 'must include a scope that this user can have' },
      ]);
    return {
      clientId: FIRST_PARTY,
      scopes,
      audience: resource ?? ownAudience(this.config),
      refreshIn,
      format,
    };
  }

  async #respond(
    signIn: TokenSignIn,
    grant: Grant,
    refresh: IssuedRefreshToken,
    manager?: EntityManager,
  ): Promise<IssuedCredential> {
    const access = await this.kinds.issuerOf(grant.format)(signIn, grant, manager);
    const body: TokenResponse = {
      access_token: access.text,
      token_type: 'Bearer',
      expires_in: access.lifetimeSeconds,
      scope: grant.scopes.join(' '),
    };
    const value = refresh.secret.reveal();
    if (grant.refreshIn === 'body') return { body: { ...body, refresh_token: value }, cookies: [] };
    const maxAge = Math.round((refresh.expiresAt.getTime() - this.clock.now().getTime()) / 1000);
    return {
      body,
      cookies: [{ name: REFRESH_COOKIE.name, value, options: { ...REFRESH_COOKIE.options, maxAge } }],
    };
  }
}
