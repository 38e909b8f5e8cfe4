import { Inject, Injectable } from '@nestjs/common';
import { audiencesOf, ownAudience } from '../../auth/audiences.js';
import type { FoundKey } from '../../modes/api-keys/api-key.verifier.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { equalSecrets } from '../../platform/crypto/secret.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { AttemptCounter } from '../../platform/rate-limits/attempt-counter.js';
import { RateLimiter } from '../../platform/rate-limits/rate-limiter.js';
import { AccessTokenIssuer } from '../../modes/jwt/access-token.issuer.js';
import { FAILED_REFRESHES, RefreshTokensService } from '../../modes/tokens/refresh-tokens.service.js';
import { InvalidRefreshTokenError } from '../../modes/tokens/tokens.errors.js';
import { TokensService } from '../../modes/tokens/tokens.service.js';
import type { OAuthClient } from './oauth-clients.service.js';
import { OAuthError } from './oauth.errors.js';
import type { OAuthRequest } from './oauth-request.js';

/** Tokens per lineage of keys. Limited, because every node keeps the revocations of tokens in memory. */
const EXCHANGES = { requests: 120, windowSeconds: 60 };

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';

export const GRANT_TYPES = ['refresh_token', 'client_credentials', TOKEN_EXCHANGE] as const;
type GrantType = (typeof GRANT_TYPES)[number];

type Grant = (request: OAuthRequest, client: OAuthClient) => Promise<object>;

/** The grants of the token endpoint (RFC 6749 sections 4.4 and 6, RFC 8693). */
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
    private readonly attempts: AttemptCounter,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws OAuthError */
  async grant(request: OAuthRequest, client: OAuthClient): Promise<object> {
    const asked = request.require('grant_type');
    const type = GRANT_TYPES.find((known) => known === asked);
    if (!type)
      throw new OAuthError(
        'unsupported_grant_type',
        `The grant_type must be one of: ${GRANT_TYPES.join(', ')}.`,
      );
    return this.#grants[type](request, client);
  }

  /** Checks the request before the token is used, so that a refusal does not use it up. A grant never changes. */
  async #refresh(request: OAuthRequest, client: OAuthClient): Promise<object> {
    const token = request.require('refresh_token');
    const found = await this.refreshTokens.find(token);
    if (!found || found.clientId !== client.id) {
      const reason = found ? 'of another client' : 'unknown';
      this.log.refused('refresh-token.refused', { reason, userId: found?.userId, credentialId: found?.id });
      await this.attempts.failed(FAILED_REFRESHES);
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

  /** Exchanges the key of the client. The subject token must be this key, so no client gets a token of another key. */
  async #exchange(request: OAuthRequest, key: FoundKey): Promise<object> {
    const subject = request.require('subject_token');
    const type = request.require('subject_token_type');
    const requested = request.get('requested_token_type') ?? ACCESS_TOKEN;
    if (type !== ACCESS_TOKEN)
      throw new OAuthError('invalid_request', `The subject_token_type must be ${ACCESS_TOKEN}.`);
    if (requested !== ACCESS_TOKEN && requested !== JWT)
      throw new OAuthError('invalid_request', `The requested_token_type must be ${ACCESS_TOKEN} or ${JWT}.`);
    if (request.get('actor_token') !== undefined || request.get('actor_token_type') !== undefined)
      throw new OAuthError('invalid_request', 'Actor tokens are not supported.');
    // The code for an unacceptable subject_token (RFC 8693 section 2.2.2).
    if (!equalSecrets(subject, request.client.secret!))
      throw new OAuthError('invalid_request', 'The subject_token must be the key of the client.');
    return { ...(await this.#issue(request, key)), issued_token_type: requested };
  }

  /** Only this server can check resources and networks, so a key with them gets tokens only for this server. */
  #audiencesFor({ resources, networks }: FoundKey): readonly string[] {
    return resources || networks ? [ownAudience(this.config)] : audiencesOf(this.config);
  }

  /** The parameters `resource` (RFC 8707) and `audience` (RFC 8693) mean the same. A token has one audience. */
  #audience(request: OAuthRequest, allowed: readonly string[]): string {
    const asked = new Set([...request.getAll('resource'), ...request.getAll('audience')]);
    const [audience = allowed[0]!] = asked;
    if (asked.size > 1)
      throw new OAuthError('invalid_target', 'A token can have only one resource or audience.');
    if (!allowed.includes(audience))
      throw new OAuthError('invalid_target', 'The token cannot be issued for this resource or audience.');
    return audience;
  }
}

const invalidGrant = () => new OAuthError('invalid_grant', 'The refresh token is not valid for this client.');

/** @throws OAuthError */
function keyOf({ key }: OAuthClient): FoundKey {
  if (!key) throw new OAuthError('unauthorized_client', 'This grant needs an API key as the client.');
  return key;
}

/** The requested scopes, or all held ones by default. @throws OAuthError for a scope that is not held */
function scopesOf(request: OAuthRequest, held: readonly string[]): string[] {
  const asked = request.get('scope');
  if (asked === undefined) return [...held];
  const scopes = [...new Set(asked.split(' '))];
  if (!scopes.every((scope) => held.includes(scope)))
    throw new OAuthError('invalid_scope', `The scope must contain only: ${held.join(' ')}.`);
  return scopes;
}
