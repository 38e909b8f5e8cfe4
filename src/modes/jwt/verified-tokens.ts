import type { AccessTokenClaims, AccessTokenHeader } from './access-token.js';

export interface VerifiedToken {
  readonly header: AccessTokenHeader;
  readonly claims: AccessTokenClaims;
}

const LIMIT = 1000;

/**
 * The most recently used tokens with a valid signature, by their text. A hit saves only the signature check: times, key
 * and sign-in are still checked.
 *
 * To turn this cache off, let `get` return undefined.
 */
export class VerifiedTokens {
  readonly #tokens = new Map<string, VerifiedToken>();

  get(text: string): VerifiedToken | undefined {
    const token = this.#tokens.get(text);
    // A Map keeps insertion order. A used token moves to the end, so the first one is the least recently used.
    if (token && this.#tokens.delete(text)) this.#tokens.set(text, token);
    return token;
  }

  remember(text: string, token: VerifiedToken): void {
    this.#tokens.set(text, token);
    if (this.#tokens.size > LIMIT) this.#tokens.delete(this.#tokens.keys().next().value!);
  }

  forget(text: string): void {
    this.#tokens.delete(text);
  }
}
