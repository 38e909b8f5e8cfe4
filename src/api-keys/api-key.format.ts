import { crc32Base62, randomBase62 } from '../crypto/base62.js';
import { Secret } from '../crypto/secret.js';

/** 256 bits of base62. */
const RANDOM_LENGTH = 43;
const SHAPE = /^nk_([a-z0-9]{1,16})_[A-Za-z0-9]{43}[A-Za-z0-9]{6}$/;
const CHECKSUM_LENGTH = 6;
/** What is shown of a key gives away 48 of its 256 bits at most, and nobody guesses the others. */
const SHOWN_LENGTH = 4;

export interface NewKey {
  readonly key: Secret;
  /** `nk_test_` and four characters. */
  readonly prefix: string;
  readonly last4: string;
}

/** A new key `nk_<environment>_<random><checksum>`. The fixed beginning is what secret scanners look for. */
export function generateKey(environment: string): NewKey {
  const start = `nk_${environment}_`;
  const body = start + randomBase62(RANDOM_LENGTH);
  const key = body + crc32Base62(body);
  return {
    key: new Secret(key),
    prefix: key.slice(0, start.length + SHOWN_LENGTH),
    last4: key.slice(-SHOWN_LENGTH),
  };
}

/** Why a text can be no key of this deployment, without looking anything up; undefined if it can. */
export function keyFault(text: string, environment: string): string | undefined {
  const match = SHAPE.exec(text);
  if (!match) return 'malformed key';
  if (crc32Base62(text.slice(0, -CHECKSUM_LENGTH)) !== text.slice(-CHECKSUM_LENGTH))
    return 'checksum of the key';
  return match[1] === environment ? undefined : 'key of another environment';
}
