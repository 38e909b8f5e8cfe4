/** A broken byte is refused, not replaced, and a byte order mark stays a character: two texts never become one. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes of a text in its one canonical spelling: no whitespace, stray bits, other alphabet or other padding. */
export function decodeStrictly(text: string, encoding: 'base64' | 'base64url'): Buffer | undefined {
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === text ? bytes : undefined;
}

/** The text of bytes that are UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The value of bytes that are JSON in UTF-8, without a byte order mark (RFC 8259 8.1) or an unpaired surrogate. */
export function decodeJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes), (key, value: unknown) => {
      if (!key.isWellFormed() || (typeof value === 'string' && !value.isWellFormed()))
        throw new SyntaxError('unpaired surrogate');
      return value;
    });
  } catch {
    return undefined;
  }
}
