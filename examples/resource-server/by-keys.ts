import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { checkText } from './strict-text.js';
import { callerOf, type Issuer, IssuerUnavailable, TIMEOUT_MS, TokenRefused, type Verify } from './verify.js';

export interface KeyOptions {
  readonly now?: () => Date;
  /** An unknown `kid` fetches the keys again, but at most once in this time. */
  readonly cooldownMs?: number;
}

/** Verifies JWT access tokens (RFC 9068) with the published keys of the issuer, without a request per token. */
export function byKeys(
  { issuer, audience, url }: Issuer,
  { now = () => new Date(), cooldownMs = 30_000 }: KeyOptions = {},
): Verify {
  const published = createRemoteJWKSet(new URL(url), {
    // The issuer's Cache-Control allows this time. A key is published for longer than this before it signs.
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
      throw new IssuerUnavailable('the keys could not be fetched', { cause: error });
    }
  };

  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, key, {
        // jose compares it case-insensitively, with or without `application/`.
        typ: 'at+jwt',
        // The service chooses the algorithms, not the token (RFC 8725 section 3.1).
        algorithms: ['EdDSA', 'ES256'],
        issuer,
        audience,
        requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id', 'scope'],
        maxTokenAge: '15 minutes',
        currentDate: now(),
      });
      // jose also accepts a list with other audiences, which could then use the token here.
      if (payload.aud !== audience) throw new TokenRefused('has other audiences');
      checkText(token);
      // Such a token is bound to a certificate or key (RFC 7800), which this service does not check.
      if (payload['cnf'] !== undefined) throw new TokenRefused('sender-constrained');
      return callerOf(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError) throw new TokenRefused(error.code, { cause: error });
      throw error;
    }
  };
}
