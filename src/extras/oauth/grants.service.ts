import { Inject, Injectable } from '@nestjs/common';
import { audiencesOf, ownAudience } from '../../auth/audiences.js';
import type { FoundKey } from '../../modes/api-keys/api-key.verifier.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { equalSecrets } from '../../platform/crypto/secret.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import { AccessTokenIssuer } from '../../modes/jwt/access-token.issuer.js';
import { RefreshTokensService } from '../../modes/tokens/refresh-tokens.service.js';
import { InvalidRefreshTokenError } from '../../modes/tokens/tokens.errors.js';
import { TokensService } from '../../modes/tokens/tokens.service.js';
import type { OAuthClient } from './oauth-clients.service.js';
import { OAuthError } from './oauth.errors.js';
import type { OAuthRequest } from './oauth-request.js';

/** Of a line of keys. Each token can be revoked, and every node remembers what was. */
const EXCHANGES = { requests: 120, windowSeconds: 60 };

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';

export const GRANT_TYPES = ['refresh_token', 'client_credentials', TOKEN_EXCHANGE] as const;
type GrantType = (typeof GRANT_TYPES)[number];

type Grant = (request: OAuthRequest, client: OAuthClient) => Promise<object>;

/** What a client gets tokens for (RFC 6749 4.4 and 6, RFC 8693). */
@Injectable()
export class GrantsService {
  readonly #grants: Record<GrantType, Grant> = {
    refresh_token: (request, client) => this.#refresh(request, client),
    client_credentials: (request, client) => this.#issue(request, keyOf(client)),
    [TOKEN_EXCHANGE]: (request, client) => this.#exchange(request, keyOf(client)),
  };

  constructor(
    private readonly tokens: TokensService,
    private readonly refreshTokens: RefreshTokensService,
    private readonly accessTokens: AccessTokenIssuer,
    private readonly log: SecurityLog,
    private readonly limiter: RateLimiter,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws OAuthError */
  async grant(request: OAuthRequest, client: OAuthClient): Promise<object> {
    const asked = request.require('grant_type');
    const type = GRANT_TYPES.find((known) => known === asked);
    if (!type)
      throw new OAuthError('unsupported_grant_type', `The grant types are: ${GRANT_TYPES.join(', ')}.`);
    return this.#grants[type](request, client);
  }

  /** What was granted never changes, so it may be looked at before the token is used: a refusal uses nothing up. */
  async #refresh(request: OAuthRequest, client: OAuthClient): Promise<object> {
    const token = request.require('refresh_token');
    const found = await this.refreshTokens.find(token);
    if (!found || found.clientId !== client.id) {
      const reason = found ? 'of another client' : 'unknown';
      this.log.refused('refresh-token.refused', { reason, userId: found?.userId, credentialId: found?.id });
      throw invalidGrant();
    }
    this.#audience(request, [found.audience]);
    const scopes = scopesOf(request, found.scopes);
    try {
      return (await this.tokens.refresh(token, 'body', scopes)).body;
    } catch (error) {
      if (error instanceof InvalidRefreshTokenError) throw invalidGrant();
      throw error;
    }
  }

  /** @throws RateLimitedError */
  async #issue(request: OAuthRequest, key: FoundKey): Promise<object> {
    await this.limiter.consume('token-exchange', key.lineageId, EXCHANGES);
    const audience = this.#audience(request, this.#audiencesFor(key));
    const scopes = scopesOf(request, key.scopes);
    const { text, lifetimeSeconds } = await this.accessTokens.issueForKey(key, scopes, audience);
    return {
      access_token: text,
      token_type: 'Bearer',
      expires_in: lifetimeSeconds,
      scope: scopes.join(' '),
    };
  }

  /** The key is what is exchanged, and who exchanges it: a token that it stands behind, and nobody else. */
  async #exchange(request: OAuthRequest, key: FoundKey): Promise<object> {
    const subject = request.require('subject_token');
    const type = request.require('subject_token_type');
    const requested = request.get('requested_token_type') ?? ACCESS_TOKEN;
    if (type !== ACCESS_TOKEN)
      throw new OAuthError('invalid_request', `The subject_token_type must be ${ACCESS_TOKEN}.`);
    if (requested !== ACCESS_TOKEN && requested !== JWT)
      throw new OAuthError('invalid_request', `The requested_token_type must be ${ACCESS_TOKEN} or ${JWT}.`);
    if (request.get('actor_token') !== undefined || request.get('actor_token_type') !== undefined)
      throw new OAuthError('invalid_request', 'There are no actor tokens here.');
    // RFC 8693 2.2.2 has this code for a subject that is not acceptable.
    if (!equalSecrets(subject, request.client.secret!))
      throw new OAuthError('invalid_request', 'The subject_token must be the key of the client.');
    return { ...(await this.#issue(request, key)), issued_token_type: requested };
  }

  /** What a key is bound to is known here and nowhere else. */
  #audiencesFor({ resources, networks }: FoundKey): readonly string[] {
    return resources || networks ? [ownAudience(this.config)] : audiencesOf(this.config);
  }

  /** RFC 8707, and `audience` of RFC 8693, which means the same here. One token, one audience. */
  #audience(request: OAuthRequest, allowed: readonly string[]): string {
    const asked = new Set([...request.getAll('resource'), ...request.getAll('audience')]);
    const [audience = allowed[0]!] = asked;
    if (asked.size > 1) throw new OAuthError('invalid_target', 'A token is for one resource.');
    if (!allowed.includes(audience))
      throw new OAuthError('invalid_target', 'The resource is none that this token can be for.');
    return audience;
  }
}

const invalidGrant = () => new OAuthError('invalid_grant', 'The refresh token is not valid for this client.');

/** @throws OAuthError */
function keyOf({ key }: OAuthClient): FoundKey {
  if (!key) throw new OAuthError('unauthorized_client', 'This grant is for API keys.');
  return key;
}

/** Those asked for, which are some of those held; all of them unless told. @throws OAuthError */
function scopesOf(request: OAuthRequest, held: readonly string[]): string[] {
  const asked = request.get('scope');
  if (asked === undefined) return [...held];
  const scopes = [...new Set(asked.split(' '))];
  if (!scopes.every((scope) => held.includes(scope)))
    throw new OAuthError('invalid_scope', `The scopes that can be had are: ${held.join(' ')}.`);
  return scopes;
}
