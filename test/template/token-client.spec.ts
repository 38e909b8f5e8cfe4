import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ApiError, SignedOutError } from '../../examples/clients/typescript/api-error.js';
import { TokenClient } from '../../examples/clients/typescript/token-client.js';
import { FaultyProxy, Gate } from './faulty-proxy.js';
import { signIn } from '../support/modes/any.js';
// room: mfa, sessions
import { sessionOf } from '../support/modes/session.js';
import { enrolTotp, freshCode } from '../support/second-factors.js';
// /room
import type { Person } from '../support/person.js';
import { useServer } from '../support/server.js';
import { until } from '../support/until.js';

const ME = '/v1/users/me';
const GET_ME = `GET ${ME}`;
const REFRESH = 'POST /v1/tokens/refresh';
const REVOKED = { status: 401, headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' } };

const context = useServer();
let proxy: FaultyProxy;
let ada: Person;
let client: TokenClient;
let changes: string[];
let stored: string | undefined;

beforeAll(async () => {
  ada = await context.server.person();
});
beforeEach(async () => {
  proxy = await FaultyProxy.start(() => context.server.url);
  changes = [];
  client = make();
  await client.signIn(passwordOf(ada));
  proxy.requests.length = 0;
});
afterEach(() => {
  jest.restoreAllMocks();
  proxy.stop();
});

const store = {
  read: async () => stored,
  write: async (token: string | undefined) => void (stored = token),
};
const make = () => new TokenClient({ url: proxy.url, store, onChange: (state) => void changes.push(state) });
const passwordOf = ({ email, password }: Person) => ({ email, password });
const get = async (path = ME) => (await client.fetch(path)).status;
const rename = async (name: string) =>
  client.fetch(ME, {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name }),
  });
const fifty = () => Promise.allSettled(Array.from({ length: 50 }, () => get()));
const all = (value: unknown) => Array.from({ length: 50 }, () => value);
const expire = () => context.server.clock.advance('11m');
const endEverything = async () => (await signIn(ada)).delete('/v1/sessions');
const lines = () => proxy.requests.map(({ line }) => line);
const expectSignedOut = (answer: Promise<unknown>) => expect(answer).rejects.toThrow(SignedOutError);

describe('the token client', () => {
  it('refreshes once for 50 parallel requests whose token has expired', async () => {
    await expire();
    expect(await fifty()).toEqual(all({ status: 'fulfilled', value: 200 }));
    expect(proxy.count(REFRESH)).toBe(1);
  });

  it('refreshes before the token expires', async () => {
    const later = Date.now() + 9.6 * 60_000;
    jest.spyOn(Date, 'now').mockImplementation(() => later);
    expect(await fifty()).toEqual(all({ status: 'fulfilled', value: 200 }));
    expect(lines()).toEqual([REFRESH, ...all(GET_ME)]);
  });

  it('refreshes once more where the new token is refused too, and no further', async () => {
    proxy.fail(GET_ME, REVOKED, REVOKED);
    expect(await get()).toBe(401);
    expect(lines()).toEqual([GET_ME, REFRESH, GET_ME]);
  });

  it('does not refresh where a recent sign-in is required', async () => {
    await expire();
    const response = await client.fetch(ME, { method: 'DELETE' });
    expect(response.status).toBe(401);
    expect(((await response.json()) as { type: string }).type).toBe(
      '/problems/insufficient-user-authentication',
    );
    expect(proxy.count(REFRESH)).toBe(1);
  });

  it('survives a lost answer to a refresh, and can refresh after it', async () => {
    await expire();
    proxy.fail(REFRESH, 'lose');
    expect(await get()).toBe(200);
    expect(proxy.count(REFRESH)).toBe(2);
    await expire();
    expect(await get()).toBe(200);
    expect(proxy.count(REFRESH)).toBe(3);
  });

  it('keeps the refresh token if no answer arrives, and tries again with the next request', async () => {
    await expire();
    proxy.fail(REFRESH, 'lose', 'lose', 'lose');
    await expect(get()).rejects.toThrow('fetch failed');
    expect(await get()).toBe(200);
    expect(changes).toEqual(['signed-in']);
  });

  it('is signed out once if the family is revoked, and then sends nothing', async () => {
    await endEverything();
    expect(await fifty()).toEqual(all({ status: 'rejected', reason: expect.any(SignedOutError) }));
    expect(proxy.count(REFRESH)).toBe(1);
    expect([changes, stored]).toEqual([['signed-in', 'signed-out'], undefined]);
    proxy.requests.length = 0;
    await expectSignedOut(get());
    await client.signOut();
    expect([await client.resume(), lines(), changes.length]).toEqual([false, [], 2]);
  });

  it('ends the tokens when it signs out', async () => {
    await get();
    const { authorization } = proxy.requests[0]!.headers;
    const refreshToken = stored;
    await client.signOut();
    const { anonymous } = context.server;
    expect((await anonymous.with({ Authorization: authorization! }).get(ME)).status).toBe(401);
    expect((await anonymous.post('/v1/tokens/refresh', { refreshToken })).status).toBe(401);
    expect([changes, stored]).toEqual([['signed-in', 'signed-out'], undefined]);
    await expectSignedOut(get());
  });

  it('is still signed in if the server does not confirm the sign-out', async () => {
    proxy.fail('DELETE /v1/sessions/current', { status: 500 });
    await expect(client.signOut()).rejects.toThrow(ApiError);
    expect(await get()).toBe(200);
  });

  it('resumes with a stored refresh token', async () => {
    client = make();
    expect([await client.resume(), await get(), proxy.count(REFRESH)]).toEqual([true, 200, 1]);
    stored = undefined;
    expect(await make().resume()).toBe(false);
  });

  it('never repeats a request of one person as another person', async () => {
    const bob = await context.server.person();
    const held = new Gate();
    await endEverything();
    proxy.fail(`PATCH ${ME}`, held.opened);
    const renamed = rename('Ada');
    await client.signIn(passwordOf(bob));
    held.open();
    await expectSignedOut(renamed);
    expect(await (await client.fetch(ME)).json()).toMatchObject({ email: bob.email, name: null });
  });

  it('discards the answer to a refresh of an earlier sign-in', async () => {
    const bob = await context.server.person();
    const held = new Gate();
    await expire();
    proxy.fail(REFRESH, held.opened);
    const answer = get();
    await client.signIn(passwordOf(bob));
    held.open();
    await expectSignedOut(answer);
    expect(await (await client.fetch(ME)).json()).toMatchObject({ email: bob.email });
  });

  it('keeps a sign-in that comes while the token of an earlier one is being stored', async () => {
    const [bob, held] = [await context.server.person(), new Gate()];
    const waits = [undefined, held.opened, undefined];
    const write = async (token: string | undefined) => {
      await waits.shift();
      stored = token;
    };
    client = new TokenClient({ url: proxy.url, store: { ...store, write } });
    await client.signIn(passwordOf(ada));
    await expire();
    const answer = get();
    await until(() => waits.length === 1);
    const signedIn = client.signIn(passwordOf(bob));
    // Time for its token to be stored first, which must not happen.
    await Promise.race([signedIn, sleep(1_000)]);
    held.open();
    await expectSignedOut(answer);
    await signedIn;
    await expire();
    expect(await (await client.fetch(ME)).json()).toMatchObject({ email: bob.email });
  });

  it('is not signed out if the refresh of an earlier sign-in is refused', async () => {
    const held = new Gate();
    await endEverything();
    proxy.fail(REFRESH, held.opened);
    const answer = get();
    await until(() => proxy.count(REFRESH) === 1);
    await client.signIn(passwordOf(ada));
    held.open();
    await expectSignedOut(answer);
    expect([await get(), changes]).toEqual([200, ['signed-in', 'signed-in']]);
  });

  it.each(['v1/users/me', '@elsewhere.example.com/', 'https://elsewhere.example.com/'])(
    'refuses the path %s, which can lead to another host',
    async (path) => {
      await expect(client.fetch(path)).rejects.toThrow('the path must begin with /');
    },
  );

  it.each([GET_ME, REFRESH, 'POST /v1/tokens'])('follows no redirect of %s', async (line) => {
    const redirect = { status: 307, headers: { Location: '/elsewhere' } };
    proxy.fail(line, redirect, redirect, redirect);
    if (line === REFRESH) await expire();
    const answer = line === 'POST /v1/tokens' ? client.signIn(passwordOf(ada)) : get();
    await expect(answer).rejects.toThrow('fetch failed');
    expect(lines().filter((one) => one.endsWith('/elsewhere'))).toEqual([]);
  });

  // room: mfa, sessions
  it('tells which second factor is required, and continues with it', async () => {
    const grace = await context.server.person();
    const { app } = await enrolTotp(context.server, await sessionOf(grace));
    const refused = await client.signIn(passwordOf(grace)).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 401, problem: { type: '/problems/mfa-required' } });
    const { mfaToken } = (refused as ApiError).problem;
    await client.signIn({ mfaToken, totp: await freshCode(context.server, app) });
    expect(await (await client.fetch(ME)).json()).toMatchObject({ email: grace.email });
  });
  // /room
});

describe('the token client, where the server asks it to wait', () => {
  const gaps = () => proxy.requests.slice(1).map(({ at }, index) => at - proxy.requests[index]!.at);
  const tooMany = (retryAfter: string) => ({ status: 429, headers: { 'Retry-After': retryAfter } });
  const unavailable = (retryAfter: string) => ({ ...tooMany(retryAfter), status: 503 });

  it.each([
    ['429', tooMany('1')],
    ['503', unavailable('1')],
  ])('repeats a request after %s and the seconds of Retry-After', async (_status, fault) => {
    proxy.fail(GET_ME, fault);
    expect(await get()).toBe(200);
    expect(gaps().length).toBe(1);
    expect(gaps()[0]).toBeGreaterThanOrEqual(990);
  });

  it('waits until the date of Retry-After', async () => {
    proxy.fail(GET_ME, tooMany(new Date(Date.now() + 2_000).toUTCString()));
    expect(await get()).toBe(200);
    expect(gaps()[0]).toBeGreaterThanOrEqual(900);
  });

  it('spreads parallel requests over a second', async () => {
    proxy.fail(GET_ME, tooMany('0'));
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    expect(await get()).toBe(200);
    expect(gaps()[0]).toBeGreaterThanOrEqual(490);
  });

  it('repeats a POST or PATCH after 429, and not after 503, which can follow its execution', async () => {
    proxy.fail(`PATCH ${ME}`, tooMany('0'), unavailable('0'));
    expect((await rename('Ada')).status).toBe(503);
    expect((await rename('Ada')).status).toBe(200);
    expect(proxy.count(`PATCH ${ME}`)).toBe(3);
  });

  it('gives up after four attempts', async () => {
    proxy.fail(GET_ME, ...Array.from({ length: 5 }, () => tooMany('0')));
    expect([await get(), proxy.count(GET_ME)]).toEqual([429, 4]);
  });

  it('does not wait longer than 30 seconds', async () => {
    proxy.fail(GET_ME, tooMany('31'));
    expect([await get(), proxy.count(GET_ME)]).toEqual([429, 1]);
  });

  it('stops waiting if the caller aborts', async () => {
    proxy.fail(GET_ME, tooMany('30'));
    const abort = new AbortController();
    const answer = client.fetch(ME, { signal: abort.signal });
    while (proxy.count(GET_ME) === 0) await new Promise(setImmediate);
    abort.abort(new Error('not needed any more'));
    await expect(answer).rejects.toThrow();
    expect(proxy.count(GET_ME)).toBe(1);
  });

  it('repeats a refresh after 503', async () => {
    await expire();
    proxy.fail(REFRESH, unavailable('0'));
    expect([await get(), proxy.count(REFRESH)]).toEqual([200, 2]);
  });
});
