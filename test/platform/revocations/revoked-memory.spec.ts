// The kinds of revocations that are remembered are declared by the rooms.
import '../../../src/rooms.js';
import { describe, expect, it } from '@jest/globals';
import { readAnnouncement, RevokedMemory } from '../../../src/platform/revocations/revoked-memory.js';

describe('the memory of revocations', () => {
  it('is complete as long as all fit in', () => {
    const memory = new RevokedMemory(2);
    memory.add(['sign-in', 'a', null], 10);
    memory.add(['sign-in', 'b', null], 10);
    expect([memory.size, memory.isComplete(0)]).toEqual([2, true]);
  });

  it('keeps no more than its limit, and is not complete until the last that did not fit in has expired', () => {
    const memory = new RevokedMemory(1);
    memory.add(['sign-in', 'a', null], 10);
    memory.add(['sign-in', 'b', null], 30);
    memory.add(['sign-in', 'c', null], 20);
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

  it('takes what it knows already however full it is, and keeps the stronger of the two', () => {
    const memory = new RevokedMemory(1);
    memory.add(['renewal', 'a', 5], 10);
    memory.add(['renewal', 'a', 7], 10);
    memory.add(['renewal', 'a', 6], 20);
    expect(memory.isComplete(0)).toBe(true);
    expect(memory.revokedUntil('renewal', 'a')).toBe(7);
    memory.purge(10);
    expect(memory.revokedUntil('renewal', 'a')).toBe(7);
    memory.purge(20);
    expect(memory.revokedUntil('renewal', 'a')).toBe(-Infinity);
  });

  it('has no room for what nobody looks for in it', () => {
    const memory = new RevokedMemory(1);
    memory.add(['api-key', 'a', null], 10);
    memory.add(['signing-key', 'b', null], 10);
    memory.add(['sign-in', 'c', null], 10);
    expect([memory.size, memory.isComplete(0)]).toEqual([1, true]);
  });

  it('names nothing but what was revoked', () => {
    const memory = new RevokedMemory();
    memory.add(['sign-in', 'a', null], 10);
    expect(memory.revokedUntil('sign-in', 'a')).toBe(Infinity);
    expect(memory.revokedUntil('user', 'a')).toBe(-Infinity);
    expect(memory.revokedUntil('sign-in', 'b')).toBe(-Infinity);
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
  ])('is not %j', (text) => {
    expect(() => readAnnouncement(text)).toThrow();
  });
});
