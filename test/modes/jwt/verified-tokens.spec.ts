import { expect, it } from '@jest/globals';
import { type VerifiedToken, VerifiedTokens } from '../../../src/modes/jwt/verified-tokens.js';

const token = {} as VerifiedToken;

it('forgets of too many the one that was unused for longest', () => {
  const tokens = new VerifiedTokens();
  for (let i = 0; i < 1000; i += 1) tokens.remember(`t${i}`, token);
  tokens.get('t0');
  tokens.remember('one more', token);
  expect(tokens.get('t0')).toBe(token);
  expect(tokens.get('t1')).toBeUndefined();
  expect(tokens.get('one more')).toBe(token);
});

it('forgets what it is told to', () => {
  const tokens = new VerifiedTokens();
  tokens.remember('t', token);
  tokens.forget('t');
  expect(tokens.get('t')).toBeUndefined();
});
