import { expect, it } from '@jest/globals';
import { type VerifiedToken, VerifiedTokens } from '../../../src/modes/jwt/verified-tokens.js';

const token = {} as VerifiedToken;

it('forgets of too many the oldest', () => {
  const tokens = new VerifiedTokens(3);
  for (let i = 0; i < 3; i += 1) tokens.remember(`t${i}`, token);
  tokens.remember('one more', token);
  expect(tokens.get('t0')).toBeUndefined();
  expect(tokens.get('t1')).toBe(token);
  expect(tokens.get('one more')).toBe(token);
});

it('forgets what it is told to', () => {
  const tokens = new VerifiedTokens(10);
  tokens.remember('t', token);
  tokens.forget('t');
  expect(tokens.get('t')).toBeUndefined();
});

it('remembers none if its limit is 0', () => {
  const tokens = new VerifiedTokens(0);
  tokens.remember('t', token);
  expect(tokens.get('t')).toBeUndefined();
});

it('gives back the memory of expired tokens', () => {
  const tokens = new VerifiedTokens(10);
  for (const exp of [100, 101]) tokens.remember(`t${exp}`, { ...token, claims: { exp } } as VerifiedToken);
  tokens.purge(100);
  expect([tokens.get('t100'), tokens.get('t101')]).toEqual([undefined, expect.anything()]);
});
