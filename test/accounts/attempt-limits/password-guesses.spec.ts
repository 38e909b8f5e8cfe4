import { beforeEach, describe, expect, it } from '@jest/globals';
import { BusyError, PasswordHasher } from '../../../src/platform/crypto/password-hasher.js';
import { AttemptCounter } from '../../../src/platform/rate-limits/attempt-counter.js';
import { Barrier } from '../../support/barrier.js';
import { guess, guesses, many, newAddress, signIn, times } from '../../support/guesses.js';
import { signIns } from '../../support/modes/any.js';
import { InProcessServer } from '../../support/in-process.js';
import { useServer, useStarted } from '../../support/server.js';
import { until } from '../../support/until.js';

const ENV = { TRUSTED_PROXIES: 'loopback' };
const LIMITED = { status: 429, problem: 'rate-limited' };
/** Of an account, from all unknown sources together. */
const ATTEMPTS = 10;
const DAY_SECONDS = 86_400;

describe('guesses at the password of an account', () => {
  const context = useServer({ env: ENV });
  const client = () => context.server.anonymous;
  beforeEach(() => context.server.clock.reset());

  it('[V6.3.1] are limited whatever addresses they come from', async () => {
    const { email } = await context.server.person();
    expect(await guesses(client(), 12, { email })).toEqual([...times(ATTEMPTS, 401), 429, 429]);
  });

  it('are limited together for all ways to sign in', async () => {
    const { email } = await context.server.person();
    await guesses(client(), 6, { email });
    const by = signIns.at(-1)!;
    expect(await guesses(client(), 5, { email, by })).toEqual([...times(4, 401), 429]);
  });

  it('cannot exceed the limit in parallel', async () => {
    const { email } = await context.server.person();
    const answers = await many(30, () => guess(client(), { email }));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(ATTEMPTS);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20);
  });

  it('get the same answers for an account that does not exist', async () => {
    const { email } = await context.server.person();
    const told = async (email: string) => {
      const seen: unknown[] = [];
      for (let i = 0; i < 12; i += 1) {
        const { status, problem, headers, body } = await guess(client(), { email });
        const of = (name: string) => headers.get(name)?.replace(/(\d)\d*$/, '$1');
        seen.push([status, problem, body.title, of('ratelimit-policy'), of('ratelimit'), of('retry-after')]);
      }
      return seen;
    };
    expect(await told('nobody@example.com')).toEqual(await told(email));
  });

  it('refuse the right password too when the limit is reached', async () => {
    const { email } = await context.server.person();
    await guesses(client(), ATTEMPTS, { email });
    expect(await signIn(client(), { email })).toMatchObject(LIMITED);
  });

  it('are told how long to wait, and the wait grows', async () => {
    const { email } = await context.server.person();
    await guesses(client(), ATTEMPTS, { email });
    const waits: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      const refused = await guess(client(), { email });
      expect(refused).toMatchObject(LIMITED);
      const wait = Number(refused.headers.get('retry-after'));
      waits.push(wait);
      await context.server.clock.advance(`${wait}s`);
      expect((await guess(client(), { email })).status).toBe(401);
    }
    const expected = [30, 60, 120, 240, 480, 960, 1920, 3600, 3600];
    // A few seconds can pass between the guess and the refusal.
    waits.forEach((wait, i) => expect([i, Math.ceil(wait / 30) * 30]).toEqual([i, expected[i]]));
  });

  it('are at most 100 in a day, for a patient stranger', async () => {
    const { email } = await context.server.person();
    let [checked, passed] = [0, 0];
    while (passed < DAY_SECONDS) {
      const answer = await guess(client(), { email });
      if (answer.status === 401) checked += 1;
      const wait = Number(answer.headers.get('retry-after') ?? 0);
      passed += wait;
      if (wait > 0) await context.server.clock.advance(`${wait}s`);
    }
    expect(checked).toBeGreaterThan(30);
    expect(checked).toBeLessThan(50);
  });

  it.each([
    ...signIns.map(({ path }) => ['post', path] as const),
    ['post', '/v1/sessions/current/reauthentication'],
    ['put', '/v1/users/me/password'],
  ] as const)('are described in the reference: %s %s', async (method, path) => {
    const { paths } = (await client().get('/openapi.json')).body;
    const { responses } = paths[path][method];
    expect(responses['429'].description).toContain('`rate-limited`');
    expect(Object.keys(responses['429'].headers)).toEqual(['Retry-After', 'RateLimit', 'RateLimit-Policy']);
    expect(Object.keys(responses['401'].headers)).toContain('RateLimit');
  });

  it('[V16.3.3] are logged with the limit and the account', async () => {
    const { id, email } = await context.server.person();
    await guesses(client(), ATTEMPTS + 1, { email });
    const limited = (await context.server.entries()).filter(({ event }) => event === 'attempt.limited');
    expect(limited.at(-1)).toMatchObject({ limit: 'password-account', userId: id });
  });
});

describe('a right password', () => {
  const context = useServer({ env: ENV });
  const client = () => context.server.anonymous;

  it('does not count', async () => {
    const { email } = await context.server.person();
    for (let i = 0; i < ATTEMPTS + 3; i += 1) expect((await signIn(client(), { email })).status).toBe(201);
    expect(await guesses(client(), 11, { email })).toEqual([...times(ATTEMPTS, 401), 429]);
  });

  it('does not forget the guesses of others', async () => {
    const { email } = await context.server.person();
    await guesses(client(), 9, { email });
    expect((await signIn(client(), { email })).status).toBe(201);
    expect(await guesses(client(), 2, { email })).toEqual([401, 429]);
  });
});

describe('a right password of an account that cannot sign in', () => {
  const context = useServer({ env: { ...ENV, REQUIRE_VERIFIED_EMAIL: 'on' } });

  it.each([
    ['unconfirmed', 'email_verified_at = NULL'],
    ['disabled', `status = 'disabled'`],
  ])('counts like a wrong one: %s', async (_why, change) => {
    const { id, email } = await context.server.person();
    await context.server.query(`UPDATE users SET ${change} WHERE id = $1`, [id]);
    const statuses: number[] = [];
    for (let i = 0; i < 12; i += 1) statuses.push((await signIn(context.server.anonymous, { email })).status);
    expect(statuses).toEqual([...times(ATTEMPTS, 401), 429, 429]);
  });
});

describe('guesses from one address', () => {
  const context = useServer({ env: ENV });
  const client = () => context.server.anonymous;
  /** One guess at each of many accounts. */
  const spray = (count: number, address: (i: number) => string) =>
    many(count, (i) => guess(client(), { email: `spray-${i}@example.com`, address: address(i) }));
  const passed = (answers: { status: number }[]) => answers.filter(({ status }) => status === 401).length;

  it('[V6.3.1] are limited whatever accounts they are for', async () => {
    const address = newAddress();
    expect(passed(await spray(110, () => address))).toBe(100);
    expect((await guess(client(), { email: 'another@example.com' })).status).toBe(401);
  });

  it('are limited by /64 for IPv6', async () => {
    expect(passed(await spray(105, (i) => `2001:db8:0:7::${i.toString(16)}`))).toBe(100);
    const address = '2001:db8:0:8::1';
    expect((await guess(client(), { email: 'another@example.com', address })).status).toBe(401);
  });

  it('do not use up the attempts at an account when the address is over its limit', async () => {
    const address = newAddress();
    await spray(100, () => address);
    const { email } = await context.server.person();
    expect(await guesses(client(), 12, { email, address })).toEqual(times(12, 429));
    expect(await guesses(client(), 11, { email })).toEqual([...times(ATTEMPTS, 401), 429]);
  });
});

describe('the check of a password', () => {
  const context = useStarted(() => InProcessServer.start({ env: ENV }));
  const client = () => context.server.anonymous;
  /** Runs `work`, and returns how often a password was hashed meanwhile. */
  const hashed = async (work: () => Promise<unknown>, instead?: () => never) => {
    const hasher = context.server.app.get(PasswordHasher);
    const verify = hasher.verify.bind(hasher);
    let count = 0;
    hasher.verify = async (...options) => {
      count += 1;
      return instead ? instead() : verify(...options);
    };
    await work();
    hasher.verify = verify;
    return count;
  };

  /** Returns what waits until the next attempts are given back. */
  const whenGivenBack = () => {
    const counter = context.server.app.get(AttemptCounter, { strict: false });
    const giveBack = counter.giveBack.bind(counter);
    let done = false;
    counter.giveBack = async (budgets) => {
      await giveBack(budgets);
      done = true;
      counter.giveBack = giveBack;
    };
    return () => until(() => done);
  };

  it('is not made over the limit', async () => {
    const { email } = await context.server.person();
    expect(await hashed(() => guesses(client(), 30, { email }))).toBe(ATTEMPTS);
  });

  it('is not made if the count does not arrive in time', async () => {
    const { email } = await context.server.person();
    const { DATABASE_URL } = context.server.config;
    const lock = 'LOCK TABLE attempt_counts IN EXCLUSIVE MODE';
    const barrier = await Barrier.hold(DATABASE_URL!, lock, []);
    const givenBack = whenGivenBack();
    const count = await hashed(async () => {
      const answer = await signIn(client(), { email });
      expect(answer).toMatchObject({ status: 503, problem: 'database-unavailable' });
      expect(answer.headers.get('retry-after')).toBe('1');
    });
    await barrier.release();
    expect(count).toBe(0);
    // The late count is given back, because nothing was checked.
    await givenBack();
    expect(await guesses(client(), 11, { email })).toEqual([...times(ATTEMPTS, 401), 429]);
  });

  it('stays valid if the count cannot be given back', async () => {
    const { email } = await context.server.person();
    const counter = context.server.app.get(AttemptCounter, { strict: false });
    const { giveBack, forget } = counter;
    counter.giveBack = counter.forget = () => Promise.reject(new Error('no connection'));
    const first = await signIn(client(), { email });
    const again = await signIn(client(), { email, device: first.cookies['__Host-device'] });
    Object.assign(counter, { giveBack, forget });
    expect([first.status, again.status]).toEqual([201, 201]);
    const logged = ({ msg }: Record<string, unknown>) =>
      String(msg).startsWith('attempts could not be given');
    expect(context.server.entries().filter(logged)).toHaveLength(2);
  });

  it('does not count if the queue is full', async () => {
    const { email } = await context.server.person();
    const busy = () => {
      throw new BusyError();
    };
    const statuses: number[] = [];
    await hashed(async () => statuses.push(...(await guesses(client(), 12, { email }))), busy);
    expect(statuses).toEqual(times(12, 503));
    expect((await signIn(client(), { email })).status).toBe(201);
  });
});

describe('without rate limits', () => {
  const context = useServer({ env: { ...ENV, RATE_LIMITS: 'off' } });

  it('no guess is refused', async () => {
    const { email } = await context.server.person();
    expect(await guesses(context.server.anonymous, 20, { email })).toEqual(times(20, 401));
  });
});
