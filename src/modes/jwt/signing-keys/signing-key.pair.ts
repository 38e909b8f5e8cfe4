import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  calculateJwkThumbprint,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';
import { ConfigError } from '../../../platform/config/config.js';
import { seal, unseal, UnsealError } from '../../../platform/crypto/sealing.js';
import type { PublicJwk, SigningAlgorithm, SigningKey } from './signing-key.entity.js';

const PURPOSE = 'signing-key';

type KeyPair = Pick<SigningKey, 'kid' | 'algorithm' | 'publicJwk' | 'privateJwkSealed'>;

/** Creates a key pair. The private key is sealed under `secret`. */
export async function makePair(algorithm: SigningAlgorithm, secret: string): Promise<KeyPair> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk = publicPart(await exportJWK(publicKey));
  const kid = await calculateJwkThumbprint(publicJwk);
  const privateJwkSealed = seal(JSON.stringify(await exportJWK(privateKey)), secret, PURPOSE, kid);
  return { kid, algorithm, publicJwk, privateJwkSealed };
}

const CURVES: Record<SigningAlgorithm, string> = { ES256: 'P-256', EdDSA: 'Ed25519' };

/** Imports the public key for its own algorithm only. @throws if it is a key for another one */
export function publicKeyOf({ publicJwk, algorithm }: Pick<KeyPair, 'publicJwk' | 'algorithm'>): KeyObject {
  if (publicJwk.crv !== CURVES[algorithm]) throw new Error(`not a key for ${algorithm}`);
  return createPublicKey({ key: { ...publicPart(publicJwk) }, format: 'jwk' });
}

/** @throws ConfigError if no secret decrypts the key */
export async function privateKeyOf(pair: KeyPair, secrets: readonly string[]): Promise<CryptoKey> {
  const jwk = JSON.parse(open(pair, secrets)) as JWK;
  return (await importJWK(jwk, pair.algorithm, { extractable: false })) as CryptoKey;
}

/**
 * Seals the private key again, under the first of `secrets`.
 * @throws ConfigError if no secret decrypts the key
 */
export function reseal(pair: KeyPair, secrets: readonly string[]): Buffer {
  return seal(open(pair, secrets), secrets[0]!, PURPOSE, pair.kid);
}

function open({ privateJwkSealed, kid }: KeyPair, secrets: readonly string[]): string {
  try {
    return unseal(privateJwkSealed, secrets, PURPOSE, kid);
  } catch (error) {
    if (!(error instanceof UnsealError)) throw error;
    throw new ConfigError([`ENCRYPTION_SECRETS: no secret decrypts the signing key ${kid}`]);
  }
}

/** The key as the JWKS publishes it (RFC 7517). */
export function publishedJwk({ publicJwk, kid, algorithm }: KeyPair) {
  return { ...publicPart(publicJwk), kid, alg: algorithm, use: 'sig' as const };
}

/** Copies only the public members, so that no private one can be published. */
function publicPart({ kty, crv, x, y }: JWK): PublicJwk {
  return { kty: kty!, crv: crv!, x: x!, ...(y !== undefined && { y }) };
}
