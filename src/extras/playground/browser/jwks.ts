import type { Client } from './client.js';
import { bytesOfBase64url, decodePart } from './jwt.lane.js';

interface Jwk extends JsonWebKey {
  readonly kid: string;
}
interface Claims {
  readonly exp: number;
}

const ALGORITHMS: Readonly<Record<string, EcKeyImportParams & EcdsaParams>> = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519', namedCurve: 'Ed25519', hash: 'SHA-512' },
};

/**
 * Verifies JWTs as a service without the feed of revocations does: by the public keys, which it loads once. For such a
 * service, a revoked JWT is valid until it expires.
 */
export class SignatureCheck {
  private constructor(private readonly keys: readonly Jwk[]) {}

  static async load(api: Client): Promise<SignatureCheck> {
    const { body } = await api.demand<{ keys: Jwk[] }>({ path: '.well-known/jwks.json' });
    return new SignatureCheck(body.keys);
  }

  async accepts(token: string): Promise<boolean> {
    const [header = '', claims = '', signature = ''] = token.split('.');
    const { alg, kid, typ } = decodePart(header) as Record<string, string>;
    const jwk = this.keys.find((key) => key.kid === kid);
    const algorithm = ALGORITHMS[alg ?? ''];
    // RFC 9068 section 4
    if (!jwk || !algorithm || typ !== 'at+jwt') return false;
    if ((decodePart(claims) as Claims).exp * 1000 <= Date.now()) return false;
    const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify']);
    const signed = new TextEncoder().encode(`${header}.${claims}`);
    return crypto.subtle.verify(algorithm, key, bytesOfBase64url(signature), signed);
  }
}
