import { TokenRefused } from './verify.js';

/** A broken byte is refused, not replaced, and a byte order mark is no whitespace: two texts never become one. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Header and payload of a JWT must be JSON in UTF-8, without a byte order mark or an unpaired surrogate. jose lets all
 * of these pass.
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
    throw new TokenRefused('header or payload is not clean JSON', { cause: error });
  }
}
