import type { Order } from './load.js';
import type { Seed } from './seed.js';

/** Credentials that a load uses, spread over all rows. */
const SAMPLE = 50_000;

export type Load = Omit<Order, 'url' | 'seconds'>;

const sampleOf = <T>(all: readonly T[]): T[] => {
  const step = Math.max(1, all.length / SAMPLE);
  return Array.from({ length: Math.min(all.length, SAMPLE) }, (_, i) => all[Math.floor(i * step)]!);
};
export const sessionsOf = ({ sessions }: Seed): Load => ({
  connections: 32,
  header: 'Cookie',
  credentials: sampleOf(sessions).map((secret) => `__Host-session=${secret}`),
});
export const tokensOf = ({ opaqueTokens }: Seed): Load => ({
  connections: 32,
  header: 'Authorization',
  credentials: sampleOf(opaqueTokens).map((token) => `Bearer ${token}`),
});
export const keysOf = ({ keys }: Seed): Load => ({
  connections: 32,
  header: 'X-API-Key',
  credentials: sampleOf(keys).map(({ text }) => text),
});
