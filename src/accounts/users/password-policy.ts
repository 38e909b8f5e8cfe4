import { dictionary } from '@zxcvbn-ts/language-common';
import { codePoints, ValidationError } from '../../web/http/validation.js';

/** Code points after NFC normalisation (ASVS 6.2.1, 6.2.9). ASVS recommends at least 15. */
export const PASSWORD_MIN = 8;
export const PASSWORD_MAX = 128;
/** Words that are easy to guess for this service (ASVS 6.1.2, 6.2.11). Put your product's name here. */
const CONTEXT_WORDS = ['nestjs', 'authmodes', 'auth-modes'];
/** A password can contain a context word if it has at least this many other code points. */
const BESIDES_CONTEXT = 8;

/** A shorter common word with digits or punctuation after it is accepted. */
const WORD_LETTERS = 4;

// About 49,000 passwords in lower case (ASVS 6.2.4).
const COMMON: ReadonlySet<string> = new Set(dictionary['passwords-common']);

/** The form in which a password is hashed and compared: no truncation, no change of case (ASVS 6.2.8). */
export const normalisePassword = (password: string): string => password.normalize('NFC');

/** Lone surrogates are refused: UTF-8 encodes them all as the same bytes, so different passwords would match. */
export const isWellFormedPassword = (password: string): boolean => password.isWellFormed();

/**
 * Checks a new password and returns it normalised.
 * @param pointer the JSON Pointer of the password in the body
 * @param about the address and name of its owner, which it must not consist of
 * @throws ValidationError
 */
export function acceptPassword(password: string, pointer: string, about: readonly string[]): string {
  const refuse = (detail: string) => new ValidationError([{ pointer, detail }]);
  if (!isWellFormedPassword(password)) throw refuse('must be well-formed Unicode');
  const normalised = normalisePassword(password);
  const length = codePoints(normalised);
  if (length < PASSWORD_MIN) throw refuse(`must have at least ${PASSWORD_MIN} characters`);
  if (length > PASSWORD_MAX) throw refuse(`must have at most ${PASSWORD_MAX} characters`);
  const lower = normalised.toLowerCase();
  if (isCommon(lower)) throw refuse('must not be a common password, also with digits or punctuation added');
  const own = about.map((word) => normalisePassword(word).toLowerCase());
  const words = [...CONTEXT_WORDS, ...own, ...own.map((word) => word.split('@')[0]!)];
  const guessable = words.some(
    (word) => word.length > 2 && lower.includes(word) && length - codePoints(word) < BESIDES_CONTEXT,
  );
  if (guessable) throw refuse('must not be similar to your address, your name or the name of this service');
  return normalised;
}

/** Ignores digits, punctuation and symbols at the end: composition rules made people add them to common words. */
function isCommon(lower: string): boolean {
  if (COMMON.has(lower)) return true;
  const word = lower.replace(/[\p{N}\p{P}\p{S}]+$/u, '');
  return word.replace(/\P{L}/gu, '').length >= WORD_LETTERS && COMMON.has(word);
}
