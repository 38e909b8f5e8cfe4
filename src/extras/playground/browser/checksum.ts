const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const POLYNOMIAL = 0xed_b8_83_20;
const LENGTH = 6;

/** The CRC-32 of a text in base62, as the server writes it at the end of a key. */
export function checksumOf(text: string): string {
  let rest = crc32(new TextEncoder().encode(text));
  let digits = '';
  for (let i = 0; i < LENGTH; i += 1, rest = Math.floor(rest / 62)) digits = ALPHABET[rest % 62] + digits;
  return digits;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xff_ff_ff_ff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  }
  return ~crc >>> 0;
}
