import { randomBytes } from 'node:crypto';

/** Crockford's alphabet: without I, L, O and U, which are easy to confuse. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Random letters and digits that people can copy by hand, 5 bits each. A byte holds each value of 5 bits 8 times. */
export const randomBase32 = (length: number): string =>
  Array.from(randomBytes(length), (byte) => ALPHABET[byte % 32]).join('');

/** Whether a text has the form of `randomBase32(length)`. */
export const isBase32 = (text: string, length: number): boolean =>
  text.length === length && Array.from(text).every((character) => ALPHABET.includes(character));
