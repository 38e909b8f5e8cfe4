import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from './client.js';
import type { Order } from './load.js';
import type { Loader } from './loader.js';
import type { Seed } from './seed.js';
import type { Server } from './server.js';

const CLIENTS = 8;
const WINDOWS = 5;
const REVOCATIONS = 30;
/** Requests per second of other clients during sign-ins: far below what the server can carry. */
const RATE = 1_000;

export interface Operations {
  /** Of eight clients, each with its next request after the answer. */
  readonly signInsPerSecond: number;
  readonly refreshesPerSecond: number;
  /** Milliseconds of checked requests at a fixed rate, alone and beside eight clients that sign in: medians of windows in turns. */
  readonly p99Alone: number;
  readonly p99BesideSignIns: number;
  /** Milliseconds from the answer to a revocation until another node refuses: median and longest. */
  readonly revokedAfter: { readonly median: number; readonly longest: number };
  /** Milliseconds from the start of the process to its first answer. */
  readonly startMs: number;
}

/** Runs `work` in several clients until the time is over. Returns how often it ran per second. */
async function perSecond(seconds: number, work: (client: number) => Promise<void>): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let done = 0;
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (; performance.now() < end; done += 1) await work(client);
  });
  await Promise.all(clients);
  return done / seconds;
}

/** How long a session that has ended on one node still works on another. */
async function revocation(node: Client, other: Client, { emails, password }: Seed): Promise<number> {
  const signedIn = await node.signIn(emails.at(-1)!, password);
  const status = () => other.statusOf('/v1/whoami', { Cookie: signedIn.cookie });
  if ((await status()) !== 200) throw new Error('the other node refuses a session that has not ended');
  await node.signOut(signedIn);
  const ended = performance.now();
  while ((await status()) === 200) await sleep(0);
  return performance.now() - ended;
}

/** @param nodes two nodes of one database */
export async function measureOperations(
  nodes: readonly [Server, Server],
  seed: Seed,
  loader: Loader,
  checked: Omit<Order, 'seconds'>,
  seconds: number,
): Promise<Operations> {
  const [client, other] = nodes.map(({ url }) => new Client(url)) as [Client, Client];
  let person = 0;
  const { emails, password } = seed;
  const signIn = async () => {
    // Another person each time, because sign-ins of one person wait for each other.
    person = (person + 1) % (emails.length - 1);
    await client.post('/v1/tokens', { email: emails[person], password });
  };
  const atRate = async () => {
    const { p99, unexpected } = await loader.run({ ...checked, seconds, rate: RATE });
    if (unexpected > 0) throw new Error('unexpected answers beside sign-ins');
    return p99;
  };
  await atRate();
  const windows: { alone: number; beside: number; signIns: number }[] = [];
  while (windows.length < WINDOWS) {
    const alone = await atRate();
    const [beside, signIns] = await Promise.all([atRate(), perSecond(seconds, signIn)]);
    windows.push({ alone, beside, signIns });
  }
  const median = (of: keyof (typeof windows)[number]) =>
    windows.map((window) => window[of]).toSorted((a, b) => a - b)[(WINDOWS - 1) / 2]!;
  const tokens = await Promise.all(
    Array.from({ length: CLIENTS }, (_, i) => client.post('/v1/tokens', { email: emails[i], password })),
  );
  const refreshesPerSecond = await perSecond(seconds, async (i) => {
    tokens[i] = await client.post('/v1/tokens/refresh', { refreshToken: tokens[i]!.refresh_token });
  });
  const times: number[] = [];
  while (times.length < REVOCATIONS) times.push(await revocation(client, other, seed));
  times.sort((a, b) => a - b);
  return {
    signInsPerSecond: median('signIns'),
    refreshesPerSecond,
    p99Alone: median('alone'),
    p99BesideSignIns: median('beside'),
    revokedAfter: { median: times[REVOCATIONS / 2]!, longest: times.at(-1)! },
    startMs: nodes[1].startMs,
  };
}
