import { v7 as uuidv7 } from 'uuid';
import { crc32Base62, randomBase62 } from '../../platform/crypto/base62.js';
import { Secret } from '../../platform/crypto/secret.js';

/**
 * What secret scanners look for, with nothing before or after that could belong to it.
 */
export const KEY_PATTERN = String.raw`\bnk_[a-z0-9]{1,16}_[A-Za-z0-9]{49}\b`;

/** 256 bits of base62. */
const RANDOM_LENGTH = 43;
const SHAPE = new RegExp(`^${KEY_PATTERN}$`);
const CHECKSUM_LENGTH = 6;
/** What is shown of a key gives away 48 of its 256 bits at most, and nobody guesses the others. */
const SHOWN_LENGTH = 4;

export interface GeneratedKey {
  readonly key: Secret;
  /** `nk_test_` and four characters. */
  readonly prefix: string;
  readonly last4: string;
}

/** A new key `nk_<environment>_<random><checksum>`. The fixed beginning is what secret scanners look for. */
export function generateKey(environment: string): GeneratedKey {
  const start = `nk_${environment}_`;
  const body = start + randomBase62(RANDOM_LENGTH);
  const key = body + crc32Base62(body);
  return {
    key: new Secret(key),
    prefix: key.slice(0, start.length + SHOWN_LENGTH),
    last4: key.slice(-SHOWN_LENGTH),
  };
}

/** A new key, and what its row says of it. */
export function makeKey(environment: string) {
  const { key, prefix, last4 } = generateKey(environment);
  const id = uuidv7();
  return { key, id, prefix, last4, keyHash: key.hash(), lineageId: id, revision: 1 };
}

/** Why a text can be no key of this deployment, without looking anything up; undefined if it can. */
export function keyFault(text: string, environment: string): string | undefined {
  if (!SHAPE.test(text)) return 'malformed key';
  if (crc32Base62(text.slice(0, -CHECKSUM_LENGTH)) !== text.slice(-CHECKSUM_LENGTH))
    return 'checksum of the key';
  return text.startsWith(`nk_${environment}_`) ? undefined : 'key of another environment';
}
