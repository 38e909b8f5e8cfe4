import { verify } from 'node:crypto';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { SigningKeysService, type VerificationKey } from './signing-keys/signing-keys.service.js';
import {
  type AccessTokenClaims,
  foreignClaim,
  readClaims,
  readToken,
  type UnverifiedToken,
  wrongTime,
} from './access-token.js';
import { VerifiedTokens } from './verified-tokens.js';
import '../../platform/revocations/cached-lookup.js';

const PURGE_INTERVAL_MS = 60_000;

/** Verifies access tokens: form, signature, claims and times. JwtPrincipals checks the sign-in behind a token. */
@Injectable()
export class AccessTokenVerifier implements OnModuleInit, OnApplicationShutdown {
  readonly #verified: VerifiedTokens;
  #purging: NodeJS.Timeout | undefined;

  constructor(
    private readonly keys: SigningKeysService,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.#verified = new VerifiedTokens(config.CREDENTIAL_CACHE_SIZE);
  }

  /** So that a node without load does not keep the tokens of the load before. */
  onModuleInit(): void {
    const purge = () => this.#verified.purge(this.clock.now().getTime() / 1000);
    this.#purging = setInterval(purge, PURGE_INTERVAL_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#purging);
  }

  /** The instruments read this. */
  get cache(): Pick<VerifiedTokens, 'hits' | 'misses' | 'size' | 'limit'> {
    return this.#verified;
  }

  /** The claims of a token that this node has verified, if that needs no query. @throws InvalidCredentialError */
  remembered(token: string): AccessTokenClaims | undefined {
    const remembered = this.#verified.get(token);
    if (!remembered || !this.keys.known(remembered.header.kid)) return undefined;
    this.#checkTimes(token, remembered.claims);
    this.#verified.hits += 1;
    return remembered.claims;
  }

  /** @throws InvalidCredentialError with a reason that contains no part of the token */
  async verify(token: string): Promise<AccessTokenClaims> {
    const remembered = this.#verified.get(token);
    const read = remembered ?? readToken(token);
    if (remembered) this.#verified.hits += 1;
    else this.#verified.misses += 1;
    const { kid } = read.header;
    const key = this.keys.known(kid) ?? (await this.keys.find(kid));
    if (!key) throw new InvalidCredentialError('unknown kid');
    const claims = 'claims' in read ? read.claims : this.#readOurs(verifiedPayload(read, key));
    this.#checkTimes(token, claims);
    if (!remembered) this.#verified.remember(token, { header: read.header, claims });
    return claims;
  }

  #checkTimes(token: string, claims: AccessTokenClaims): void {
    const fault = wrongTime(claims, this.clock.now());
    if (!fault) return;
    this.#verified.forget(token);
    throw new InvalidCredentialError(fault);
  }

  /** Reads the claims of a payload with our issuer and one of our audiences. */
  #readOurs(payload: Uint8Array): AccessTokenClaims {
    const claims = readClaims(payload);
    const fault = foreignClaim(claims, this.config);
    if (fault) throw new InvalidCredentialError(fault);
    return claims;
  }
}

/**
 * Checks the signature of a JWS (RFC 7515 section 5.2). The algorithm comes from the key, never from the token (RFC 8725
 * section 3.1). node:crypto directly, because jose takes 1.3 to 2 times as long: it uses WebCrypto, in the pool of threads.
 */
export function verifiedPayload(
  token: UnverifiedToken,
  { algorithm, publicKey }: Omit<VerificationKey, 'kid'>,
): Buffer {
  if (token.header.alg !== algorithm) throw new InvalidCredentialError('algorithm of another key');
  const { signingInput, signature } = token;
  const isValid =
    algorithm === 'ES256'
      ? verify('sha256', signingInput, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
      : verify(null, signingInput, publicKey, signature);
  if (!isValid) throw new InvalidCredentialError('signature verification failed');
  return token.payload;
}
