import type { AccessTokenClaims, AccessTokenHeader } from './access-token.js';

export interface VerifiedToken {
  readonly header: AccessTokenHeader;
  readonly claims: AccessTokenClaims;
}

const LIMIT = 1000;

/**
 * The tokens whose signature was right, by their text, the ones used last. It saves the signature and nothing else:
 * times, key and sign-in are asked after a hit too, since one token can be spelled in several ways.
 *
 * To do without it, let `get` answer undefined.
 */
export class VerifiedTokens {
  readonly #tokens = new Map<string, VerifiedToken>();

  get(text: string): VerifiedToken | undefined {
    const token = this.#tokens.get(text);
    // A Map keeps the order of insertion: what is used goes to the end, so that what is first was unused for longest.
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
