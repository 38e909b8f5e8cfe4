/** Invalid bytes are refused, and a byte order mark is kept, so that different bytes never decode to the same text. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes canonical base64 only: no whitespace, stray bits, other alphabet or other padding. */
export function decodeStrictly(text: string, encoding: 'base64' | 'base64url'): Buffer | undefined {
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === text ? bytes : undefined;
}

/** Decodes UTF-8. Undefined if the bytes are invalid. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Parses JSON in UTF-8 without a byte order mark (RFC 8259 8.1) or unpaired surrogates. Undefined if it is invalid. */
export function decodeJson(bytes: Uint8Array): unknown {
  try {
    const text = utf8.decode(bytes);
    // Only an escape can be an unpaired surrogate. A reviver makes the parser several times slower.
    return JSON.parse(text, text.includes('\\u') ? refuseSurrogates : undefined);
  } catch {
    return undefined;
  }
}

function refuseSurrogates(key: string, value: unknown): unknown {
  if (!key.isWellFormed() || (typeof value === 'string' && !value.isWellFormed()))
    throw new SyntaxError('unpaired surrogate');
  return value;
}
