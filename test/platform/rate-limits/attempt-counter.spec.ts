import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AttemptCounter, Budget } from '../../../src/platform/rate-limits/attempt-counter.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { TestServer, useServer } from '../../support/server.js';
import type { Remote } from '../../support/people.js';

const LIMITED = /RateLimitedError/;
const WAITS = { firstSeconds: 30, longestSeconds: 100 };

const counterOf = (server: TestServer): Remote<AttemptCounter> => server.provider('AttemptCounter');
const budget = (subject: string, limit: Partial<Budget['limit']> = {}): Budget => ({
  limit: { name: 'test', attempts: 3, windowSeconds: 600, ...limit },
  subject,
});
/** The outcome of attempts, one after the other: passed or limited. */
async function attempt(counter: Remote<AttemptCounter>, of: Budget, times: number): Promise<string> {
  let outcome = '';
  for (let i = 0; i < times; i += 1)
    outcome += await counter.count(of).then(
      () => 'p',
      (error: Error) => (LIMITED.test(error.message) ? 'l' : error.message),
    );
  return outcome;
}

describe('the attempt counter', () => {
  const context = useServer();
  const counter = () => counterOf(context.server);
  beforeEach(() => context.server.clock.reset());

  it('lets as many attempts pass as the limit has, for each subject', async () => {
    expect(await attempt(counter(), budget('one'), 5)).toBe('pppll');
    expect(await attempt(counter(), budget('two'), 4)).toBe('pppl');
    expect(await attempt(counter(), budget('one', { name: 'another' }), 4)).toBe('pppl');
  });

  it('lets exactly as many parallel attempts pass', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => attempt(counter(), budget('parallel', { attempts: 7 }), 1)),
    );
    expect(outcomes.filter((outcome) => outcome === 'p')).toHaveLength(7);
    expect(outcomes.filter((outcome) => outcome === 'l')).toHaveLength(43);
  });

  it('blocks a subject until its window ends, whatever is refused meanwhile', async () => {
    const of = budget('window');
    expect(await attempt(counter(), of, 4)).toBe('pppl');
    await context.server.clock.advance('9m');
    expect(await attempt(counter(), of, 3)).toBe('lll');
    await context.server.clock.advance('61s');
    expect(await attempt(counter(), of, 4)).toBe('pppl');
  });

  it('doubles the wait before each further attempt, up to the longest', async () => {
    const of = budget('waits', { waits: WAITS });
    expect(await attempt(counter(), of, 4)).toBe('pppl');
    for (const seconds of [30, 60, 100, 100]) {
      await context.server.clock.advance(`${seconds - 5}s`);
      expect([seconds, await attempt(counter(), of, 1)]).toEqual([seconds, 'l']);
      await context.server.clock.advance('5s');
      expect([seconds, await attempt(counter(), of, 2)]).toEqual([seconds, 'pl']);
    }
  });

  it('gives back an attempt that succeeded, and only that one', async () => {
    const of = budget('given back');
    expect(await attempt(counter(), of, 2)).toBe('pp');
    await counter().giveBack([of]);
    expect(await attempt(counter(), of, 3)).toBe('ppl');
    await counter().giveBack([budget('never counted')]);
    expect(await attempt(counter(), budget('never counted'), 4)).toBe('pppl');
  });

  it('forgets all attempts of a subject', async () => {
    await attempt(counter(), budget('forgotten'), 2);
    await counter().forget(budget('forgotten'));
    expect(await attempt(counter(), budget('forgotten'), 4)).toBe('pppl');
  });

  it('logs a refused attempt without its subject', async () => {
    const of = budget('ada@example.com');
    await attempt(counter(), of, 4);
    const entries = (await context.server.entries()).filter(({ event }) => event === 'attempt.limited');
    expect(entries.at(-1)).toMatchObject({ limit: 'test', retryAfter: 600 });
    await expect(counter().count(of)).rejects.toThrow(/rate-limited: test$/m);
    expect(JSON.stringify(entries)).not.toContain('ada@example.com');
    const rows = await context.server.query(`SELECT * FROM attempt_counts`);
    expect(JSON.stringify(rows)).not.toContain('ada@example.com');
  });

  it('deletes counts when their windows have ended', async () => {
    await attempt(counter(), budget('old'), 4);
    await context.server.runHousekeeping();
    const count = async () =>
      (await context.server.query('SELECT count(*)::int AS n FROM attempt_counts'))[0].n as number;
    expect(await count()).toBeGreaterThan(0);
    await context.server.clock.advance('1h');
    await context.server.runHousekeeping();
    expect(await count()).toBe(0);
  });
});

describe('the attempt counters of two nodes', () => {
  let database: TestDatabase;
  let nodes: TestServer[] = [];
  beforeAll(async () => {
    database = await createDatabase();
    nodes = await Promise.all([1, 2].map(() => TestServer.start({ database })));
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await database.drop();
  });

  it('share their counts, also with a node that starts later', async () => {
    const of = budget('shared');
    expect(await attempt(counterOf(nodes[0]!), of, 2)).toBe('pp');
    expect(await attempt(counterOf(nodes[1]!), of, 2)).toBe('pl');
    const later = await TestServer.start({ database });
    expect(await attempt(counterOf(later), of, 1)).toBe('l');
    await later.stop();
  });
});

describe('the attempt counter with RATE_LIMITS=off', () => {
  const context = useServer({ env: { RATE_LIMITS: 'off' } });

  it('counts nothing', async () => {
    expect(await attempt(counterOf(context.server), budget('one'), 5)).toBe('ppppp');
    expect(await context.server.query('SELECT * FROM attempt_counts')).toEqual([]);
  });
});
