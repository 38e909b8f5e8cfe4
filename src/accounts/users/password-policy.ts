import { dictionary } from '@zxcvbn-ts/language-common';
import { codePoints, ValidationError } from '../../web/http/validation.js';

/** Code points after NFC normalisation (ASVS 6.2.1, 6.2.9). 15 and more are better, and a manager makes them. */
export const PASSWORD_MIN = 8;
export const PASSWORD_MAX = 128;
/** Words of this project that a guess would start with (ASVS 6.1.2, 6.2.11). Put your product's name here. */
const CONTEXT_WORDS = ['nestjs', 'authmodes', 'auth-modes'];
/** A context word may be part of a password that has at least this many code points besides. */
const BESIDES_CONTEXT = 8;

/** A common word with fewer letters may be part of a password that ends in digits. */
const WORD_LETTERS = 4;

// Some 49,000 passwords, in lower case, most common first (ASVS 6.2.4).
const COMMON: ReadonlySet<string> = new Set(dictionary['passwords-common']);

/** The form in which a password is hashed and compared: no truncation, no change of case (ASVS 6.2.8). */
export const normalisePassword = (password: string): string => password.normalize('NFC');

/** Whether this can be a password at all: lone surrogates all become the same bytes, and would collide. */
export const isWellFormedPassword = (password: string): boolean => password.isWellFormed();

/**
 * Checks a password that somebody wants to set, and returns it normalised.
 * @param pointer where in the body it stands
 * @param about words of its owner that it must not consist of: the address, the name
 * @throws ValidationError
 */
export function acceptPassword(password: string, pointer: string, about: readonly string[]): string {
  const refuse = (detail: string) => new ValidationError([{ pointer, detail }]);
  if (!isWellFormedPassword(password)) throw refuse('holds ill-formed Unicode');
  const normalised = normalisePassword(password);
  const length = codePoints(normalised);
  if (length < PASSWORD_MIN) throw refuse(`must have at least ${PASSWORD_MIN} characters`);
  if (length > PASSWORD_MAX) throw refuse(`must have at most ${PASSWORD_MAX} characters`);
  const lower = normalised.toLowerCase();
  if (isCommon(lower)) throw refuse('must not be a common password, or one with digits or punctuation added');
  const own = about.map((word) => normalisePassword(word).toLowerCase());
  const words = [...CONTEXT_WORDS, ...own, ...own.map((word) => word.split('@')[0]!)];
  const guessable = words.some(
    (word) => word.length > 2 && lower.includes(word) && length - codePoints(word) < BESIDES_CONTEXT,
  );
  if (guessable) throw refuse('is too close to your address, your name or the name of this service');
  return normalised;
}

/** Also with digits, punctuation and symbols added at its end, which is what a rule book makes people do. */
function isCommon(lower: string): boolean {
  if (COMMON.has(lower)) return true;
  const word = lower.replace(/[\p{N}\p{P}\p{S}]+$/u, '');
  return word.replace(/\P{L}/gu, '').length >= WORD_LETTERS && COMMON.has(word);
}
