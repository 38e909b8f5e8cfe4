import type { AccessTokenClaims, AccessTokenHeader } from './access-token.js';

export interface VerifiedToken {
  readonly header: AccessTokenHeader;
  readonly claims: AccessTokenClaims;
}

/**
 * The latest tokens with a valid signature, by their text. A hit saves only the signature check: times, key and sign-in are
 * still checked.
 */
export class VerifiedTokens {
  readonly #tokens = new Map<string, VerifiedToken>();
  hits = 0;
  misses = 0;

  /** @param limit the number of tokens. 0 turns the memory off */
  constructor(readonly limit: number) {}

  get size(): number {
    return this.#tokens.size;
  }

  get(text: string): VerifiedToken | undefined {
    return this.#tokens.get(text);
  }

  remember(text: string, token: VerifiedToken): void {
    this.#tokens.set(text, token);
    // A Map keeps the order of insertion. To keep that of use would take two writes for each request.
    if (this.#tokens.size > this.limit) this.forget(this.#tokens.keys().next().value!);
  }

  forget(text: string): void {
    this.#tokens.delete(text);
  }

  /** Forgets the tokens that have expired. @param now in seconds since 1970 */
  purge(now: number): void {
    for (const [text, { claims }] of this.#tokens) if (claims.exp <= now) this.forget(text);
  }
}
