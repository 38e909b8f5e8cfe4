import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

const CANONICAL_256_BITS = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** 256 random bits as 43 base64url characters (ASVS 11.5.1). */
export function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Whether a text can be what `randomSecret` made: base64url of 32 bytes in its one canonical spelling. */
export function isRandomSecret(text: string): boolean {
  return CANONICAL_256_BITS.test(text);
}

/** SHA-256, 32 bytes: how a random secret is stored and looked up. Not for passwords, which are not random. */
export function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** The same as 64 hexadecimal digits, at a third of the cost: for a look-up in memory. */
export function sha256Hex(text: string): string {
  return hash('sha256', text);
}

/** HMAC-SHA-256 under `key`, as base64url. */
export function hmac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

/** Compares in a time that does not depend on where two texts differ (ASVS 11.2.4). */
export function equalSecrets(a: string, b: string): boolean {
  // Hashing first gives both the same length, so that the length leaks nothing either.
  return timingSafeEqual(sha256(a), sha256(b));
}

/** The plain text of a secret that was just made. It prints as `[secret]`; only `reveal()` gives it out. */
export class Secret {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }

  static random(prefix = ''): Secret {
    return new Secret(prefix + randomSecret());
  }

  reveal(): string {
    return this.#text;
  }

  hash(): Buffer {
    return sha256(this.#text);
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
