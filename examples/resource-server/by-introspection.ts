import { callerOf, type Issuer, IssuerUnavailable, TIMEOUT_MS, TokenRefused, type Verify } from './verify.js';

/** An API key with the scope `tokens:introspect`. */
export interface Client {
  readonly id: string;
  readonly key: string;
}

/** Asks the issuer about each token (RFC 7662). It refuses revoked tokens at once and also accepts opaque tokens. */
export function byIntrospection({ issuer, audience, url }: Issuer, { id, key }: Client): Verify {
  const Authorization = `Basic ${Buffer.from(`${id}:${key}`).toString('base64')}`;

  const introspect = async (token: string): Promise<Record<string, unknown>> => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { Authorization },
        body: new URLSearchParams({ token }),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.status !== 200) throw new Error(`status ${response.status}`);
      return (await response.json()) as Record<string, unknown>;
    } catch (error) {
      throw new IssuerUnavailable('the issuer did not answer', { cause: error });
    }
  };

  return async (token) => {
    const told = await introspect(token);
    if (told['active'] !== true) throw new TokenRefused('not active');
    // A refresh token is active too, but has no token_type.
    if (told['token_type'] !== 'Bearer') throw new TokenRefused('not an access token');
    if (told['iss'] !== issuer || told['aud'] !== audience)
      throw new TokenRefused('issued by another issuer or for another service');
    if (told['cnf'] !== undefined) throw new TokenRefused('sender-constrained');
    return callerOf(told);
  };
}
