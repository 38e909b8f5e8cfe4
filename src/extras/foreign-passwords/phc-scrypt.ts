import type { ForeignHash } from '../../platform/crypto/foreign-hashes.js';
import { type ScryptHash, scryptMatches } from '../../platform/crypto/scrypt.js';

/** The PHC string format: base64 without padding. The salt has 8 to 64 bytes, and the key 16 to 64. */
const FORMAT =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;
/** N * r * p. All parameters that OWASP recommends have at most this, which takes 128 MiB and about 0.5 s. */
const HIGHEST_WORK = 2 ** 20;

/** Hashes of scrypt as passlib (Python), `@phc/scrypt` (Node) and `scrypt` (Rust) write them. */
export const phcScrypt: ForeignHash = {
  recognises: (stored) => stored.startsWith('$scrypt$'),
  faultOf: (stored) => {
    const hash = read(stored);
    if (!hash) return 'stored scrypt hash is malformed';
    return 2 ** hash.ln * hash.r * hash.p > HIGHEST_WORK
      ? 'stored scrypt hash has parameters that are too high'
      : undefined;
  },
  verify: async (stored, password) => scryptMatches(password, read(stored)!),
};

function read(stored: string): ScryptHash | undefined {
  const [, ln, r, p, salt, key] = FORMAT.exec(stored) ?? [];
  if (key === undefined) return undefined;
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  // RFC 7914 section 6: no parameter is zero, and N is less than 2^(16 r).
  if (Object.values(cost).includes(0) || cost.ln >= 16 * cost.r) return undefined;
  return { ...cost, salt: Buffer.from(salt!, 'base64'), key: Buffer.from(key, 'base64') };
}
