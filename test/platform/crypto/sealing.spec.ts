import { describe, expect, it } from '@jest/globals';
import { seal, unseal, UnsealError } from '../../../src/platform/crypto/sealing.js';

const FIRST = 'the first secret, of 32 characters and more';
const SECOND = 'the second secret, of 32 characters and more';

describe('seal and unseal', () => {
  it('opens a sealed text', () => {
    for (const plain of ['', 'x', 'Grüße 🦩', 'long '.repeat(10_000)])
      expect(unseal(seal(plain, FIRST, 'test', 'row 1'), [FIRST], 'test', 'row 1')).toBe(plain);
  });

  it('seals into different bytes each time, without a trace of the text', () => {
    const [one, other] = [seal('a plain text', FIRST, 'test'), seal('a plain text', FIRST, 'test')];
    expect(one.equals(other)).toBe(false);
    expect(one.subarray(0, 12).equals(other.subarray(0, 12))).toBe(false);
    expect(one.includes('plain')).toBe(false);
  });

  it('opens with any of the secrets given, so that they can be replaced', () => {
    const sealed = seal('text', SECOND, 'test');
    expect(unseal(sealed, [FIRST, SECOND], 'test')).toBe('text');
    expect(unseal(sealed, [SECOND, FIRST], 'test')).toBe('text');
  });

  const sealed = seal('text', FIRST, 'test', 'row 1');
  it.each([
    ['another secret', () => unseal(sealed, [SECOND], 'test', 'row 1')],
    ['no secret', () => unseal(sealed, [], 'test', 'row 1')],
    ['another purpose', () => unseal(sealed, [FIRST], 'other', 'row 1')],
    ['the context of another row', () => unseal(sealed, [FIRST], 'test', 'row 2')],
    ['no context', () => unseal(sealed, [FIRST], 'test')],
  ])('[V11.3.2] does not open with %s', (_what, open) => {
    expect(open).toThrow(UnsealError);
  });

  it('[V11.2.5] notices every changed byte: of the nonce, the text and the tag', () => {
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(() => unseal(changed, [FIRST], 'test', 'row 1')).toThrow(UnsealError);
    }
  });

  it('refuses a shortened tag', () => {
    for (let length = 0; length < sealed.length; length += 1)
      expect(() => unseal(sealed.subarray(0, length), [FIRST], 'test', 'row 1')).toThrow(UnsealError);
  });

  it('names the purpose in the error, and no secret', () => {
    expect(() => unseal(sealed, [SECOND], 'signing key')).toThrow(
      'a sealed signing key cannot be opened with the configured secrets',
    );
  });
});
