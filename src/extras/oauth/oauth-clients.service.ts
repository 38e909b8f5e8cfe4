import { Injectable } from '@nestjs/common';
import { ApiKeyVerifier, type FoundKey } from '../../modes/api-keys/api-key.verifier.js';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { AttemptCounter } from '../../platform/rate-limits/attempt-counter.js';
import { defineAttemptLimit } from '../../platform/rate-limits/attempt-limit.js';
import { FIRST_PARTY } from '../../modes/tokens/token-grant.entity.js';
import { InvalidClientError } from './oauth.errors.js';
import type { PresentedClient } from './oauth-request.js';

/** An API key, or the public client `first-party`, which has no secret. */
export type OAuthClient =
  | { readonly id: typeof FIRST_PARTY; readonly key?: undefined }
  | { readonly id: string; readonly key: FoundKey };

/** Client authentications that failed, by address. */
const WRONG_SECRETS = defineAttemptLimit({
  name: 'wrong-client-secrets',
  attempts: 100,
  windowSeconds: 600,
  waits: { firstSeconds: 10, longestSeconds: 300 },
});

interface Accepted {
  /** Accept the headers of the mode `api-key` in addition to HTTP Basic and the body. */
  readonly keyHeaders?: boolean;
  /** Whether the rate limit of the key applies. */
  readonly limited?: boolean;
}

/** Authenticates OAuth clients. */
@Injectable()
export class OAuthClients {
  constructor(
    private readonly keys: ApiKeyVerifier,
    private readonly attempts: AttemptCounter,
    private readonly log: SecurityLog,
  ) {}

  /** @throws InvalidClientError or RateLimitedError */
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
    if (by === 'unknown scheme' || (by === 'key' && !keyHeaders))
      throw refuse('unsupported client authentication');
    if (secret === undefined) {
      if (id === FIRST_PARTY && by !== 'key') return { id };
      throw refuse('no secret');
    }
    try {
      const key = await this.keys.identify(secret, { limited });
      if (id !== key.id && !(by === 'key' && id === undefined))
        throw new InvalidCredentialError('key of another id');
      return { id: key.id, key };
    } catch (error) {
      if (!(error instanceof InvalidCredentialError)) throw error;
      await this.attempts.failed(WRONG_SECRETS);
      throw refuse(error.reason ?? 'refused');
    }
  }
}
