import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import {
  equalSecrets,
  hmac,
  isRandomSecret,
  randomSecret,
  Secret,
  sha256,
} from '../../../src/platform/crypto/secret.js';

describe('Secret', () => {
  const secret = new Secret('the plain text');

  it('prints as [secret], however it gets into a text', () => {
    expect(String(secret)).toBe('[secret]');
    expect(['it is', secret].join(' ')).toBe('it is [secret]');
    expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}');
    expect(inspect({ secret }, { showHidden: true, depth: 9 })).toBe('{ secret: [secret] }');
    expect(Object.keys(secret)).toEqual([]);
    expect(Object.getOwnPropertyNames(secret)).toEqual([]);
  });

  it('gives its text out on request only, and its SHA-256 to be stored', () => {
    expect(secret.reveal()).toBe('the plain text');
    expect(secret.hash()).toEqual(sha256('the plain text'));
    expect(secret.hash()).toHaveLength(32);
  });

  it('[V6.5.3] has 256 random bits, behind a prefix if it is given one', () => {
    const made = Secret.random('rt_').reveal();
    expect(made).toMatch(/^rt_[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(made.slice(3), 'base64url')).toHaveLength(32);
    expect(new Set(Array.from({ length: 1000 }, randomSecret)).size).toBe(1000);
  });
});

describe('isRandomSecret', () => {
  const canonical = Buffer.alloc(32, 0xa7).toString('base64url');

  it('[V11.5.1] accepts a secret of randomSecret', () => {
    for (let i = 0; i < 1000; i += 1) expect(isRandomSecret(randomSecret())).toBe(true);
    expect(isRandomSecret(canonical)).toBe(true);
  });

  it('refuses every other spelling of the same 32 bytes', () => {
    // The last character carries four bits; the two that are left over must be zero.
    const last = canonical.at(-1)!;
    const twin = canonical.slice(0, -1) + String.fromCodePoint(last.codePointAt(0)! + 1);
    expect(Buffer.from(twin, 'base64url')).toEqual(Buffer.from(canonical, 'base64url'));
    for (const text of [twin, `${canonical}=`, ` ${canonical}`, `${canonical}\n`, `"${canonical}"`])
      expect(isRandomSecret(text)).toBe(false);
  });

  it.each([
    '',
    'x',
    'A'.repeat(42),
    'A'.repeat(44),
    `${'A'.repeat(41)}+A`,
    `${'A'.repeat(41)}/A`,
    'Ä'.repeat(43),
  ])('refuses %j', (text) => {
    expect(isRandomSecret(text)).toBe(false);
  });
});

describe('equalSecrets', () => {
  it('[V11.2.4] compares texts of any lengths', () => {
    expect(equalSecrets('abc', 'abc')).toBe(true);
    for (const other of ['abd', 'ab', 'abcd', '', 'ABC', 'abc\0'])
      expect(equalSecrets('abc', other)).toBe(false);
  });
});

describe('hmac', () => {
  it('is HMAC-SHA-256', () => {
    // RFC 4231, test case 2.
    const expected = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
    expect(hmac('Jefe', 'what do ya want for nothing?')).toBe(
      Buffer.from(expected, 'hex').toString('base64url'),
    );
  });
});
