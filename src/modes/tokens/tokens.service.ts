import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { audiencesOf, ownAudience } from '../../auth/audiences.js';
import { heldScopes, userScopes } from '../../auth/scopes.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { ValidationError } from '../../web/http/validation.js';
import type { Carrier, IssuedCredential } from '../../accounts/sign-ins/carriers.js';
import { PasswordsService } from '../../accounts/sign-ins/passwords.service.js';
import type { SignIn } from '../../accounts/sign-ins/sign-in.entity.js';
import type { User } from '../../accounts/users/user.entity.js';
import type { TokenSignIn } from '../jwt/access-token.issuer.js';
import { REFRESH_COOKIE } from './refresh-cookie.js';
import { type IssuedRefreshToken, RefreshTokensService } from './refresh-tokens.service.js';
import { FIRST_PARTY, type Grant, type RefreshDelivery, TokenGrant } from './token-grant.entity.js';
import { TokenKinds } from './token-kinds.js';
import type { TokenRequest, TokenResponse } from './tokens.schemas.js';

/** The pair of access and refresh token that carries a sign-in. */
@Injectable()
export class TokensService implements Carrier {
  readonly name = 'token';
  readonly cookies = [REFRESH_COOKIE];

  constructor(
    private readonly passwords: PasswordsService,
    private readonly kinds: TokenKinds,
    private readonly refreshTokens: RefreshTokensService,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async signIn({ email, password, ...asked }: TokenRequest): Promise<IssuedCredential> {
    const audience = asked.resource ?? ownAudience(this.config);
    if (!audiencesOf(this.config).includes(audience))
      throw new ValidationError([{ pointer: '/resource', detail: 'is no audience of this server' }]);
    if (!this.kinds.issuerOf(asked.format))
      throw new ValidationError([{ pointer: '/format', detail: 'is no format of this server' }]);
    const lifetimes = { idle: this.config.REFRESH_TOKEN_IDLE_TTL, absolute: this.config.REFRESH_TOKEN_TTL };
    const { format, refreshIn } = asked;
    const attach = async (manager: EntityManager, signIn: SignIn, { roles }: User) => {
      const scopes = heldScopes(new Set(asked.scope?.split(' ') ?? userScopes()), roles);
      if (scopes.length === 0)
        throw new ValidationError([{ pointer: '/scope', detail: 'must name a scope that you may have' }]);
      const grant: Grant = { clientId: FIRST_PARTY, scopes, audience, refreshIn, format };
      await manager.insert(TokenGrant, { signInId: signIn.id, ...grant });
      return { signIn, grant, refresh: await this.refreshTokens.issue(manager, signIn) };
    };
    const { signIn, grant, refresh } = await this.passwords.signIn(
      { email, password },
      this.name,
      lifetimes,
      attach,
    );
    return this.#respond(signIn, grant, refresh);
  }

  /**
   * `scopes` narrows the access token, and it alone: what is granted stays (RFC 6749 6). A role that the person has lost
   * narrows it too.
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

  /** The access tokens from before end too: their `auth_time` is no longer the sign-in's. */
  async renew(manager: EntityManager, signIn: SignIn, { roles }: User): Promise<IssuedCredential> {
    const grant = await manager.findOneByOrFail(TokenGrant, { signInId: signIn.id });
    grant.scopes = heldScopes(grant.scopes, roles);
    return this.#respond(signIn, grant, await this.refreshTokens.replace(manager, signIn), manager);
  }

  async #respond(
    signIn: TokenSignIn,
    grant: Grant,
    refresh: IssuedRefreshToken,
    manager?: EntityManager,
  ): Promise<IssuedCredential> {
    const issue = this.kinds.issuerOf(grant.format);
    if (!issue) throw new Error(`nothing issues access tokens of the format ${grant.format}`);
    const access = await issue(signIn, grant, manager);
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
