import { describe, expect, it } from '@jest/globals';
import {
  ALARM_SCORE,
  assessSignIn,
  assessUse,
  type NewSignIn,
  type PastSignIn,
  type Signal,
} from '../../../src/extras/anomalies/assessment.js';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';
const HOME = '192.0.2.7';
const HOME_LATER = '192.0.2.200';
const AWAY = '198.51.100.9';

const at = (day: number, hour: number) => new Date(Date.UTC(2026, 9, day, hour, 15));
const usual = { ip: HOME, userAgent: FIREFOX, newDevice: false, failures: 0 };

/** Every day of October at nine, one of them in the evening. */
const month: PastSignIn[] = Array.from({ length: 30 }, (_, day) => ({
  ...usual,
  at: at(day + 1, day === 12 ? 19 : 9),
}));
const signIn = (change: Partial<NewSignIn>): NewSignIn => ({ ...usual, at: at(31, 9), ...change });

describe('a sign-in', () => {
  it.each<[string, Partial<NewSignIn>]>([
    ['at the usual time', {}],
    ['two hours later', { at: at(31, 11) }],
    ['with another address of the network', { ip: HOME_LATER }],
    ['with a newer browser', { userAgent: FIREFOX.replaceAll('140', '141') }],
    ['after four typing errors', { failures: 4 }],
    ['of the same program without cookies', { newDevice: true }],
  ])('is not unusual %s', (_what, change) => {
    expect(assessSignIn(month, signIn(change))).toEqual({ signals: [], score: 0 });
  });

  it('raises no alarm in a month of one person on one device, also on a journey and at night', () => {
    const journeys = new Map([
      [9, { ip: AWAY, at: at(9, 9) }],
      [20, { at: at(20, 3) }],
    ]);
    for (const [day, past] of month.entries()) {
      const now = { ...past, ...usual, ...journeys.get(day) };
      expect([day, assessSignIn(month.slice(0, day), now).score < ALARM_SCORE]).toEqual([day, true]);
    }
  });

  it('is not compared if it is the first one of all', () => {
    expect(assessSignIn([], signIn({ newDevice: true, ip: AWAY }))).toEqual({ signals: [], score: 0 });
  });

  it('has no unusual hour before ten sign-ins on five days', () => {
    const night = signIn({ at: at(31, 3) });
    expect(assessSignIn(month.slice(0, 9), night).signals).toEqual([]);
    const sameDay = month
      .slice(0, 10)
      .map((past, minute) => ({ ...past, at: new Date(at(1, 9).getTime() + minute) }));
    expect(assessSignIn(sameDay, night).signals).toEqual([]);
    expect(assessSignIn(month.slice(0, 10), night).signals).toEqual(['unusual-hours']);
  });

  it('compares hours across midnight', () => {
    const late = month.map((past, day) => ({ ...past, at: at(day + 1, 23) }));
    expect(assessSignIn(late, signIn({ at: at(31, 0) })).signals).toEqual([]);
    expect(assessSignIn(late, signIn({ at: at(31, 2) })).signals).toEqual(['unusual-hours']);
  });
});

describe('an attack raises an alarm:', () => {
  const stranger = { newDevice: true, userAgent: CHROME };
  it.each<[string, Partial<NewSignIn>, Signal[], number]>([
    ['a stolen password, used at home by a guest', stranger, ['new-device'], 30],
    ['a stolen password, used elsewhere', { ...stranger, ip: AWAY }, ['new-device', 'new-network'], 50],
    [
      'a stolen password, used elsewhere with the same browser',
      { newDevice: true, ip: AWAY },
      ['new-device', 'new-network'],
      50,
    ],
    [
      'a stolen password, used elsewhere at night',
      { ...stranger, ip: AWAY, at: at(31, 2) },
      ['new-device', 'new-network', 'unusual-hours'],
      65,
    ],
    [
      'a guessed password',
      { ...stranger, ip: AWAY, failures: 9 },
      ['new-device', 'new-network', 'many-failures'],
      80,
    ],
    [
      'a guessed password, at night',
      { ...stranger, ip: AWAY, failures: 9, at: at(31, 2) },
      ['new-device', 'new-network', 'unusual-hours', 'many-failures'],
      95,
    ],
    ['a password guessed on the own device', { failures: 5 }, ['many-failures'], 30],
    ['a script without a user agent', { newDevice: true, userAgent: null }, ['new-device'], 30],
    [
      'a stolen device cookie, after guesses',
      { ip: AWAY, failures: 5 },
      ['new-network', 'many-failures'],
      50,
    ],
    [
      'a stolen password, used over IPv6',
      { ...stranger, ip: '2001:db8:1::7' },
      ['new-device', 'new-network'],
      50,
    ],
  ])('%s', (_what, change, signals, score) => {
    expect(assessSignIn(month, signIn(change))).toEqual({ signals, score });
    expect(score).toBeGreaterThanOrEqual(ALARM_SCORE);
  });
});

describe('the use of a sign-in', () => {
  const made = { ip: HOME, userAgent: FIREFOX };
  it.each<[string, Partial<typeof made>, number]>([
    ['by the same client', {}, 0],
    ['by a newer browser', { userAgent: FIREFOX.replaceAll('140', '141') }, 0],
    ['on the way', { ip: AWAY }, 20],
    ['by another browser', { userAgent: CHROME }, 40],
    ['by a program', { userAgent: 'curl/8.5.0' }, 40],
    ['by another browser elsewhere', { ip: AWAY, userAgent: CHROME }, 60],
  ])('%s', (_what, change, score) => {
    expect(assessUse(made, { ...made, ...change }).score).toBe(score);
  });

  it('tells programs apart by their names', () => {
    const program = (userAgent: string) => ({ ip: HOME, userAgent });
    expect(assessUse(program('curl/8.5.0'), program('curl/8.6.0')).score).toBe(0);
    expect(assessUse(program('curl/8.5.0'), program('okhttp/5.0')).score).toBe(40);
  });
});
