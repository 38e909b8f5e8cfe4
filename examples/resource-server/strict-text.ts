import { TokenRefused } from './verify.js';

/** Refuses invalid bytes and keeps a byte order mark, so that different bytes never become the same text. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Header and payload of a JWT must be JSON in UTF-8 without a byte order mark or unpaired surrogates. jose does not check
 * this.
 * @throws TokenRefused
 */
export function checkText(token: string): void {
  try {
    for (const part of token.split('.').slice(0, 2))
      JSON.parse(utf8.decode(Buffer.from(part, 'base64url')), (name, value: unknown) => {
        if (!name.isWellFormed() || (typeof value === 'string' && !value.isWellFormed()))
          throw new SyntaxError('an unpaired surrogate');
        return value;
      });
  } catch (error) {
    throw new TokenRefused('header or payload is not well-formed JSON', { cause: error });
  }
}
