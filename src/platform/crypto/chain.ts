import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

export const LINK_BYTES = 32;

/** Links texts into a chain by HMAC-SHA-256. Each link depends on all texts before it. Without the key, none can be made. */
export class Chain {
  readonly #key: Buffer;

  /** HKDF-SHA-256 derives the key from `secret` and `purpose`. */
  constructor(secret: string, purpose: string) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', purpose, LINK_BYTES));
  }

  /** The link of a text that follows the link `previous`. */
  link(previous: Buffer, text: string): Buffer {
    return createHmac('sha256', this.#key).update(previous).update(text).digest();
  }

  fits(link: Buffer, previous: Buffer, text: string): boolean {
    return timingSafeEqual(link, this.link(previous, text));
  }
}
