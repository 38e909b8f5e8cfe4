import { describe, expect, it } from '@jest/globals';
import {
  rememberRevocations,
  type RevocationKind,
} from '../../../src/platform/revocations/revocation.entity.js';
import { readAnnouncement, RevokedMemory } from '../../../src/platform/revocations/revoked-memory.js';

const SESSION = 'a session' as RevocationKind;
const RENEWAL = 'a renewal' as RevocationKind;
const FORGOTTEN = 'a kind that is looked up each time' as RevocationKind;
rememberRevocations(SESSION, RENEWAL);

describe('the memory of revocations', () => {
  it('is complete as long as everything fits in', () => {
    const memory = new RevokedMemory(2);
    memory.add([SESSION, 'a', null], 10);
    memory.add([SESSION, 'b', null], 10);
    expect([memory.size, memory.isComplete(0)]).toEqual([2, true]);
  });

  it('[V15.4.1] keeps no more than its limit, and is incomplete until the last entry that did not fit in has expired', () => {
    const memory = new RevokedMemory(1);
    memory.add([SESSION, 'a', null], 10);
    memory.add([SESSION, 'b', null], 30);
    memory.add([SESSION, 'c', null], 20);
    expect(memory.size).toBe(1);
    expect([memory.isComplete(0), memory.isComplete(29), memory.isComplete(30)]).toEqual([
      false,
      false,
      true,
    ]);
    // There is room again, but not for what was let go.
    memory.purge(10);
    expect([memory.size, memory.isComplete(10)]).toEqual([0, false]);
  });

  it('updates a known entry even if it is full, and keeps the stronger of the two', () => {
    const memory = new RevokedMemory(1);
    memory.add([RENEWAL, 'a', 5], 10);
    memory.add([RENEWAL, 'a', 7], 10);
    memory.add([RENEWAL, 'a', 6], 20);
    expect(memory.isComplete(0)).toBe(true);
    expect(memory.revokedUntil(RENEWAL, 'a')).toBe(7);
    memory.purge(10);
    expect(memory.revokedUntil(RENEWAL, 'a')).toBe(7);
    memory.purge(20);
    expect(memory.revokedUntil(RENEWAL, 'a')).toBe(-Infinity);
  });

  it('stores no kind that is not remembered', () => {
    const memory = new RevokedMemory(1);
    memory.add([FORGOTTEN, 'a', null], 10);
    memory.add([FORGOTTEN, 'b', null], 10);
    memory.add([SESSION, 'c', null], 10);
    expect([memory.size, memory.isComplete(0)]).toEqual([1, true]);
  });

  it('knows only what was revoked', () => {
    const memory = new RevokedMemory();
    memory.add([SESSION, 'a', null], 10);
    expect(memory.revokedUntil(SESSION, 'a')).toBe(Infinity);
    expect(memory.revokedUntil('user', 'a')).toBe(-Infinity);
    expect(memory.revokedUntil(SESSION, 'b')).toBe(-Infinity);
  });
});

describe('an announcement', () => {
  it('is read as it was written', () => {
    const announcement = [
      ['sign-in', 'a', null],
      ['renewal', 'b', 5],
      ['a kind of tomorrow', 'c', null],
    ];
    expect(readAnnouncement(JSON.stringify(announcement))).toEqual(announcement);
  });

  it.each([
    '',
    'hello',
    '[oops',
    '{}',
    '[["sign-in", "a"]]',
    '[["sign-in", 1, null]]',
    '[["sign-in", "a", null, 10]]',
    '[null]',
  ])('is never %j', (text) => {
    expect(() => readAnnouncement(text)).toThrow();
  });
});
