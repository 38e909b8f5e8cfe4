import { describe, expect, it } from '@jest/globals';
import { ValidationError } from '../../../src/web/http/validation.js';
import {
  acceptPassword,
  isWellFormedPassword,
  normalisePassword,
} from '../../../src/accounts/users/password-policy.js';

/** Why a password is refused; undefined for one that is accepted. */
function refusal(password: string, ...about: string[]): string | undefined {
  try {
    acceptPassword(password, '/password', about);
    return undefined;
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    expect(error.errors).toHaveLength(1);
    expect(error.errors[0]!.pointer).toBe('/password');
    return error.errors[0]!.detail;
  }
}

const TOO_SHORT = 'must have at least 8 characters';
const TOO_LONG = 'must have at most 128 characters';
const COMMON = 'must not be a common password, also with digits or punctuation added';
const GUESSABLE = 'must not be similar to your address, your name or the name of this service';

describe('acceptPassword', () => {
  it.each([
    ['7 letters', 'kqzvwxj', TOO_SHORT],
    ['8 letters', 'kqzvwxjp', undefined],
    ['128 letters', 'kqzvwxjp'.repeat(16), undefined],
    ['129 letters', `${'kqzvwxjp'.repeat(16)}x`, TOO_LONG],
    ['7 emoji, of 14 code units', '🦩🪴🧭🫖🛶🪁🧵', TOO_SHORT],
    ['8 emoji, of 16 code units', '🦩🪴🧭🫖🛶🪁🧵🪡', undefined],
    ['128 emoji, of 256 code units', '🦩'.repeat(128), undefined],
    ['129 emoji', '🦩'.repeat(129), TOO_LONG],
    ['7 letters with combining marks, of 14 code points before NFC', 'e\u0301'.repeat(7), TOO_SHORT],
    ['128 letters with combining marks, of 256 before NFC', 'e\u0301'.repeat(128), undefined],
    ['nothing', '', TOO_SHORT],
  ])('[V6.2.9] counts code points after NFC: %s', (_what, password, answer) => {
    expect(refusal(password)).toBe(answer);
  });

  it('[V6.2.5] takes any character, and neither trims nor demands a mixture', () => {
    for (const password of [
      '        ',
      'a\0b\tc\nd e',
      ' lead and trail ',
      'ｆｕｌｌｗｉｄｔｈ',
      'кириллица!',
    ])
      expect(acceptPassword(password, '/password', [])).toBe(password);
  });

  it('returns the NFC form, in which it is hashed and compared', () => {
    expect(acceptPassword('cafe\u0301 au lait', '/password', [])).toBe('caf\u00e9 au lait');
    expect(normalisePassword('cafe\u0301')).toBe('caf\u00e9');
    // Not NFKC: different characters stay different passwords.
    expect(normalisePassword('ﬁnes')).toBe('ﬁnes');
  });

  it.each(['\ud800', '\udc00', '\udc00\ud800'])('refuses the lone surrogate %j', (surrogate) => {
    expect(refusal(`a long enough ${surrogate} password`)).toBe('must be well-formed Unicode');
    expect(isWellFormedPassword(surrogate)).toBe(false);
  });

  it.each(['password1', 'PassWord1', 'QWERTYUIOP', 'iloveyou'])(
    '[V6.2.4] refuses the common %s',
    (password) => {
      expect(refusal(password)).toBe(COMMON);
    },
  );

  it.each(['Password123!', 'Summer2024', 'monkey!!!!!!', 'Dragon-1999', 'qwerty€€€'])(
    '[V6.2.12] refuses %s, a common password with digits or punctuation added',
    (password) => {
      expect(refusal(password)).toBe(COMMON);
    },
  );

  it.each(['12345678!?-+', 'abc!!!!!!!!', 'summertide in 2024', '2024Kqzvwxjp!', 'кириллица!1'])(
    'accepts %s, which has fewer than 4 letters or is no common password without its end',
    (password) => {
      expect(refusal(password)).toBeUndefined();
    },
  );

  it('refuses what is made of the address or the name, in any case and form', () => {
    const about = ['kovalevska@example.com', 'Zoe\u0308 de Cäsaris'];
    for (const password of [
      'kovalevska@example.com',
      'KOVALEVSKA@example.com',
      'kovalevska',
      'Kovalevska1850',
      '!kovalevska!',
      'zo\u00eb de cäsaris',
      'zoe\u0308 de cäsaris',
      'Zoë de Cäsaris99',
    ])
      expect(refusal(password, ...about)).toBe(GUESSABLE);
  });

  it('takes the address within a longer password, and ignores names that stand in many words', () => {
    expect(refusal('kovalevska knew her equations', 'kovalevska@example.com')).toBeUndefined();
    expect(refusal('dim lights', 'li@example.com', 'Li')).toBeUndefined();
  });

  it.each(['nestjs12', 'NestJS-12345', 'auth-modes-12345'])(
    '[V6.2.11] refuses %s, the name of this service and little else',
    (password) => {
      expect(refusal(password)).toBe(GUESSABLE);
    },
  );
});
