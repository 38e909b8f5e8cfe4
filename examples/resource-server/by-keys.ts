import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { checkText } from './strict-text.js';
import { callerOf, type Issuer, IssuerUnavailable, TIMEOUT_MS, TokenRefused, type Verify } from './verify.js';

export interface KeyOptions {
  readonly now?: () => Date;
  /** An unknown `kid` makes us read the keys anew, but not sooner than this after the last time. */
  readonly cooldownMs?: number;
}

/** Verifies JWT access tokens (RFC 9068) with the keys that their issuer publishes. It is not asked about any token. */
export function byKeys(
  { issuer, audience, url }: Issuer,
  { now = () => new Date(), cooldownMs = 30_000 }: KeyOptions = {},
): Verify {
  const published = createRemoteJWKSet(new URL(url), {
    // As long as the issuer says (Cache-Control): a key is published for longer than that before it signs.
    cacheMaxAge: 300_000,
    cooldownDuration: cooldownMs,
    timeoutDuration: TIMEOUT_MS,
  });

  const key: JWTVerifyGetKey = async (header, token) => {
    if (header.kid === undefined) throw new TokenRefused('no kid');
    try {
      return await published(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) throw error;
      throw new IssuerUnavailable('the keys cannot be read', { cause: error });
    }
  };

  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, key, {
        // Without regard to case, with or without `application/`.
        typ: 'at+jwt',
        // Ours to say, not the token's (RFC 8725 3.1).
        algorithms: ['EdDSA', 'ES256'],
        issuer,
        audience,
        requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id', 'scope'],
        maxTokenAge: '15 minutes',
        currentDate: now(),
      });
      // jose would accept a list that names others too, who could then use the token here.
      if (payload.aud !== audience) throw new TokenRefused('for others too');
      checkText(token);
      // Bound to a certificate or a key of its holder, which nothing here would ask for (RFC 7800).
      if (payload['cnf'] !== undefined) throw new TokenRefused('sender-constrained');
      return callerOf(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError) throw new TokenRefused(error.code, { cause: error });
      throw error;
    }
  };
}
