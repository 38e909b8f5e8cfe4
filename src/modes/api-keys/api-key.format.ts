import { v7 as uuidv7 } from 'uuid';
import { defineCredentialKind, type Fact } from '../../auth/credential-kinds.js';
import { crc32Base62, randomBase62 } from '../../platform/crypto/base62.js';
import { Secret } from '../../platform/crypto/secret.js';

/** The regular expression for secret scanners. */
export const KEY_PATTERN = String.raw`\bnk_[a-z0-9]{1,16}_[A-Za-z0-9]{49}\b`;

/** 256 bits of base62. */
const RANDOM_LENGTH = 43;
const SHAPE = new RegExp(`^${KEY_PATTERN}$`);
const CHECKSUM_LENGTH = 6;
/** The shown characters reveal at most 48 of the 256 bits. */
const SHOWN_LENGTH = 4;

export interface GeneratedKey {
  readonly key: Secret;
  /** `nk_test_` and four characters. */
  readonly prefix: string;
  readonly last4: string;
}

/** Generates a key `nk_<environment>_<random><checksum>`. Secret scanners find it by its fixed prefix. */
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

/** Generates a key with the fields of its row. */
export function makeKey(environment: string) {
  const { key, prefix, last4 } = generateKey(environment);
  const id = uuidv7();
  return { key, id, prefix, last4, keyHash: key.hash(), lineageId: id, revision: 1 };
}

/** Returns why a text cannot be a key of this deployment, or undefined. Needs no query. */
export function keyFault(text: string, environment: string): string | undefined {
  if (!SHAPE.test(text)) return 'malformed key';
  if (!hasChecksum(text)) return 'wrong checksum of the key';
  return text.startsWith(`nk_${environment}_`) ? undefined : 'key of another environment';
}

const hasChecksum = (text: string): boolean =>
  crc32Base62(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH);

defineCredentialKind({
  name: 'API key',
  places: [
    { type: 'header', name: 'X-API-Key' },
    { type: 'scheme', name: 'ApiKey' },
  ],
  recognises: (text) => text.startsWith('nk_'),
  examine: (text, { config }) => {
    const fault = keyFault(text, config.API_KEY_ENVIRONMENT);
    const [prefix, environment] = /^nk_([a-z0-9]{1,16})_/.exec(text) ?? [];
    const facts: Fact[] = [];
    if (environment !== undefined)
      facts.push(['environment', `${environment} (this server: ${config.API_KEY_ENVIRONMENT})`]);
    if (SHAPE.test(text)) facts.push(['checksum', hasChecksum(text) ? 'right' : 'wrong']);
    return { prefix, faults: fault ? [fault] : [], facts };
  },
});
