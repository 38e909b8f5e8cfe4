import { createHmac, hash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

const CANONICAL_256_BITS = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** 256 random bits as 43 base64url characters (ASVS 11.5.1). */
export function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Random decimal digits, at most 14, for codes that people type. */
export const randomDigits = (count: number): string => String(randomInt(10 ** count)).padStart(count, '0');

/** Whether a text has the form of `randomSecret`: canonical base64url of 32 bytes. */
export function isRandomSecret(text: string): boolean {
  return CANONICAL_256_BITS.test(text);
}

/** SHA-256, for storing and looking up random secrets. Not for passwords. */
export function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** SHA-256 as hexadecimal digits, at a third of the cost, for lookups in memory. */
export function sha256Hex(text: string): string {
  return hash('sha256', text);
}

/** HMAC-SHA-256 with `key`, as base64url. */
export function hmac(key: string, data: string | Buffer): string {
  return createHmac('sha256', key).update(data).digest('base64url');
}

/** Compares two texts in constant time (ASVS 11.2.4). */
export function equalSecrets(a: string, b: string): boolean {
  // The hashes have the same length, so the time does not reveal the length either.
  return timingSafeEqual(sha256(a), sha256(b));
}

/** The plain text of a new secret. It prints as `[secret]`. Only `reveal()` returns it. */
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
