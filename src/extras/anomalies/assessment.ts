import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { deviceOf } from '../../accounts/sign-ins/sign-in-view.js';

/** What each signal adds to the score. */
export const WEIGHTS = {
  /** The device has no known cookie, and this kind of client has not signed in from this network. */
  'new-device': 30,
  /** No earlier sign-in came from this network. */
  'new-network': 20,
  /** No earlier sign-in was within two hours of this time of day. */
  'unusual-hours': 15,
  /** Five or more refused sign-ins since the last success. */
  'many-failures': 30,
  /** A sign-in is used by another kind of client than it was made for. */
  'other-client': 40,
  /** A sign-in is used in another network than it was made in. */
  'other-network': 20,
} as const;

export type Signal = keyof typeof WEIGHTS;

/** From this score on, the person gets a mail. A new network alone is not an alarm: people move. */
export const ALARM_SCORE = 30;
export const MANY_FAILURES = 5;

/** Fewer sign-ins, or sign-ins on fewer days, do not show a person's usual hours. */
const HOURS_NEED = { signIns: 10, days: 5 };
const HOURS_APART = 2;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Where a request comes from. */
export interface Source {
  readonly ip: string | null;
  readonly userAgent: string | null;
}

export interface PastSignIn extends Source {
  readonly at: Date;
}

export interface NewSignIn extends PastSignIn {
  /** Whether the request had no device cookie that the person is known by. */
  readonly newDevice: boolean;
  /** Refused sign-ins since the last success. */
  readonly failures: number;
}

export interface Assessment {
  readonly signals: readonly Signal[];
  readonly score: number;
}

/** Compares a sign-in with the earlier ones of the person. The first one of all has nothing to compare with. */
export function assessSignIn(history: readonly PastSignIn[], signIn: NewSignIn): Assessment {
  const nearby = history.filter(({ ip }) => networkOf(ip) === networkOf(signIn.ip));
  const isSameClient = nearby.some((past) => clientKind(past.userAgent) === clientKind(signIn.userAgent));
  const isFirst = history.length === 0;
  return scoreOf({
    'new-device': !isFirst && signIn.newDevice && !isSameClient,
    'new-network': !isFirst && nearby.length === 0,
    'unusual-hours': isUnusualHour(history, signIn.at),
    'many-failures': signIn.failures >= MANY_FAILURES,
  });
}

/** Compares the use of a sign-in with where it was made. */
export const assessUse = (made: Source, used: Source): Assessment =>
  scoreOf({
    'other-client': clientKind(made.userAgent) !== clientKind(used.userAgent),
    'other-network': networkOf(made.ip) !== networkOf(used.ip),
  });

function scoreOf(found: Partial<Record<Signal, boolean>>): Assessment {
  const signals = (Object.keys(WEIGHTS) as Signal[]).filter((signal) => found[signal]);
  return { signals, score: signals.reduce((sum, signal) => sum + WEIGHTS[signal], 0) };
}

/** Hours are those of UTC, so that a person who travels keeps theirs. */
function isUnusualHour(history: readonly PastSignIn[], at: Date): boolean {
  const days = new Set(history.map((past) => Math.floor(past.at.getTime() / DAY_MS)));
  if (history.length < HOURS_NEED.signIns || days.size < HOURS_NEED.days) return false;
  return !history.some((past) => {
    const apart = Math.abs((past.at.getTime() % DAY_MS) - (at.getTime() % DAY_MS));
    return Math.min(apart, DAY_MS - apart) <= HOURS_APART * HOUR_MS;
  });
}

/** The /24 of an IPv4 address, or the /48 of an IPv6 address. A provider gives one customer addresses within these. */
function networkOf(ip: string | null): string {
  if (ip === null || isIP(ip) === 0) return 'unknown';
  const address = ipaddr.process(ip.split('%')[0]!);
  const kind = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  const bits = address.kind() === 'ipv4' ? 24 : 48;
  return kind.networkAddressFromCIDR(`${address.toString()}/${bits}`).toString();
}

/** The browser and system without versions, such as "Firefox on Linux", or the name of the program, such as "curl". */
const clientKind = (userAgent: string | null): string =>
  deviceOf(userAgent) ?? /^[^\s/]*/.exec(userAgent ?? '')![0].toLowerCase();
