import { Injectable } from '@nestjs/common';
import { ApiKeyVerifier, type FoundKey } from '../../modes/api-keys/api-key.verifier.js';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { FIRST_PARTY } from '../../modes/tokens/token-grant.entity.js';
import { InvalidClientError } from './oauth.errors.js';
import type { PresentedClient } from './oauth-request.js';

/** An API key, or the public client where people sign in, which has nothing to prove itself with. */
export type OAuthClient =
  | { readonly id: typeof FIRST_PARTY; readonly key?: undefined }
  | { readonly id: string; readonly key: FoundKey };

interface Accepted {
  /** The headers of the mode `api-key` too, not only HTTP Basic and the body. */
  readonly keyHeaders?: boolean;
  /** Whether the request counts for the rate limit of the key. */
  readonly limited?: boolean;
}

/** Who a client is. */
@Injectable()
export class OAuthClients {
  constructor(
    private readonly keys: ApiKeyVerifier,
    private readonly log: SecurityLog,
  ) {}

  /** @throws InvalidClientError */
  async authenticate(
    presented: PresentedClient,
    { keyHeaders = false, limited = true }: Accepted = {},
  ): Promise<OAuthClient> {
    const refuse = (reason: string) => {
      this.log.refused('client.refused', { reason });
      return new InvalidClientError(reason, keyHeaders ? ['Basic', 'ApiKey'] : ['Basic']);
    };
    const { by, id, secret } = presented;
    if (by === 'nothing') throw refuse('no client');
    if (by === 'unknown scheme' || (by === 'key' && !keyHeaders)) throw refuse('not this way');
    if (secret === undefined) {
      if (id === FIRST_PARTY && by !== 'key') return { id };
      throw refuse('no secret');
    }
    try {
      const key = await this.keys.identify(secret, { limited });
      if (id !== key.id && !(by === 'key' && id === undefined)) throw refuse('key of another id');
      return { id: key.id, key };
    } catch (error) {
      if (error instanceof InvalidCredentialError) throw refuse(error.reason ?? 'refused');
      throw error;
    }
  }
}
