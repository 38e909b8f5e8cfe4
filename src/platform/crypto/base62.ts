import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** The largest multiple of 62 that fits in a byte. */
const UNBIASED = 248;
/** 62^6 is more than 2^32. */
const CHECKSUM_LENGTH = 6;

/** Random letters and digits of 5.95 bits each: 43 have 256 bits (ASVS 11.5.1). A double click selects them all. */
export function randomBase62(length: number): string {
  let text = '';
  while (text.length < length)
    for (const byte of randomBytes(length - text.length))
      // Higher bytes are skipped: their remainders would make some letters more likely.
      if (byte < UNBIASED) text += ALPHABET[byte % 62];
  return text;
}

/** CRC-32 as six letters and digits. It detects typos, and is no proof: anyone can compute it. */
export function crc32Base62(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i += 1, rest = Math.floor(rest / 62))
    digits = ALPHABET[rest % 62] + digits;
  return digits;
}
