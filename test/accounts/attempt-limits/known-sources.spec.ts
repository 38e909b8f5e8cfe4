import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Client } from '../../support/client.js';
import { from, guess, guesses, newAddress, signIn, times } from '../../support/guesses.js';
import { type SignInKind, signIns } from '../../support/modes/any.js';
import { useServer } from '../../support/server.js';

const COOKIE = '__Host-device';
const ATTEMPTS = 10;

describe('a known source', () => {
  const context = useServer({ env: { TRUSTED_PROXIES: 'loopback' } });
  const client = () => context.server.anonymous;
  beforeEach(() => context.server.clock.reset());

  /** A person whose account strangers have blocked, with the device and the address of an earlier sign-in. */
  const attacked = async (by?: SignInKind) => {
    const { id, email } = await context.server.person();
    const address = newAddress();
    const answer = await signIn(client(), { email, address, ...(by && { by }) });
    await guesses(client(), ATTEMPTS + 1, { email });
    return { id, email, address, device: answer.cookies[COOKIE]! };
  };

  it.each(signIns)('is the device of an earlier sign-in: $mode', async (by) => {
    const { email, device } = await attacked(by);
    expect((await signIn(client(), { email })).status).toBe(429);
    expect((await signIn(client(), { email, device })).status).toBe(201);
  });

  it('is the network of an earlier sign-in', async () => {
    const { email, address } = await attacked();
    expect((await signIn(client(), { email, address })).status).toBe(201);
  });

  it('has a limit of its own, which a success resets on a device', async () => {
    const { email, device } = await attacked();
    expect(await guesses(client(), 9, { email, device })).toEqual(times(9, 401));
    expect((await signIn(client(), { email, device })).status).toBe(201);
    expect(await guesses(client(), 11, { email, device })).toEqual([...times(ATTEMPTS, 401), 429]);
    expect((await signIn(client(), { email, device })).status).toBe(429);
  });

  it('does not share its limit with another one', async () => {
    const { email, device, address } = await attacked();
    expect(await guesses(client(), 11, { email, device })).toEqual([...times(ATTEMPTS, 401), 429]);
    expect((await signIn(client(), { email, address })).status).toBe(201);
  });

  it('is not limited by its address if it is a device', async () => {
    const { email, device, address } = await attacked();
    for (let i = 0; i < 100; i += 1) await guess(client(), { email: `near-${i}@example.com`, address });
    expect((await signIn(client(), { email, address })).status).toBe(429);
    expect((await signIn(client(), { email, address, device })).status).toBe(201);
  });

  it('is the device and network that set a password by a confirmed link', async () => {
    const { id, email } = await context.server.person();
    await context.server.query('UPDATE users SET email_verified_at = NULL WHERE id = $1', [id]);
    await client().post('/v1/email-verifications', { email });
    await guesses(client(), ATTEMPTS + 1, { email });
    const [address, password] = [newAddress(), 'a new password of the owner'];
    const body = { token: await context.server.mailedToken(email), newPassword: password };
    const answer = await from(client(), address).put('/v1/email-verifications', body);
    expect(answer).toMatchObject({ status: 204, cookieNames: [COOKIE] });
    const device = answer.cookies[COOKIE]!;
    expect((await signIn(client(), { email, password })).status).toBe(429);
    expect((await signIn(client(), { email, password, address })).status).toBe(201);
    expect((await signIn(client(), { email, password, device })).status).toBe(201);
  });

  it('is known for its own account only', async () => {
    const { email } = await attacked();
    const other = await attacked();
    expect((await signIn(client(), { ...other, email })).status).toBe(429);
  });

  it('is a network for 30 days, and a device for 180 days', async () => {
    const { email, device, address } = await attacked();
    await context.server.clock.advance('31d');
    await guesses(client(), ATTEMPTS + 1, { email });
    expect((await signIn(client(), { email, address })).status).toBe(429);
    await context.server.clock.advance('150d');
    await guesses(client(), ATTEMPTS + 1, { email });
    expect((await signIn(client(), { email, device })).status).toBe(429);
  });

  it.each([
    ['a value that the server has not issued', () => 'A'.repeat(43)],
    ['a malformed value', () => 'x'],
  ])('is not %s', async (_what, value) => {
    const { email } = await attacked();
    expect((await signIn(client(), { email, device: value() })).status).toBe(429);
  });

  it('is none of two device cookies', async () => {
    const { email, device } = await attacked();
    const both = `${device}; ${COOKIE}=${device}`;
    expect((await signIn(client(), { email, device: both })).status).toBe(429);
  });
});

describe('the device cookie', () => {
  const context = useServer({ env: { TRUSTED_PROXIES: 'loopback' } });
  const client = () => context.server.anonymous;

  it('is set by a sign-in, for this host, https and the server alone', async () => {
    const { email } = await context.server.person();
    for (const by of signIns) {
      const { headers } = await signIn(client(), { email, by });
      const set = headers.getSetCookie().find((text) => text.startsWith(`${COOKIE}=`));
      expect(set?.split('; ').slice(1).toSorted()).toEqual([
        'HttpOnly',
        'Max-Age=15552000',
        'Path=/',
        'SameSite=Lax',
        'Secure',
      ]);
    }
  });

  it('is not set by a refused sign-in', async () => {
    const { email } = await context.server.person();
    expect((await guess(client(), { email })).cookieNames).toEqual([]);
  });

  it('keeps a value that the server has issued, also for another person', async () => {
    const [ada, bob] = [await context.server.person(), await context.server.person()];
    const device = (await signIn(client(), { email: ada.email })).cookies[COOKIE]!;
    const again = await signIn(client(), { email: bob.email, device });
    expect(again.cookies[COOKIE]).toBe(device);
    await guesses(client(), ATTEMPTS + 1, { email: ada.email });
    expect((await signIn(client(), { email: ada.email, device })).status).toBe(201);
  });

  it('replaces a value that the server has not issued', async () => {
    const { email } = await context.server.person();
    const device = 'A'.repeat(43);
    expect((await signIn(client(), { email, device })).cookies[COOKIE]).not.toBe(device);
  });

  it('is not a credential', async () => {
    const { email } = await context.server.person();
    const device = (await signIn(client(), { email })).cookies[COOKIE]!;
    const { status } = await from(client(), newAddress(), device).get('/v1/sessions/current');
    expect(status).toBe(401);
  });

  it('survives a sign-out', async () => {
    const session = await signIns[0]!.of(await context.server.person());
    const { cookieNames } = await session.delete('/v1/sessions/current');
    expect(cookieNames).not.toContain(COOKIE);
  });
});

describe('the known sources of a person', () => {
  const context = useServer({ env: { TRUSTED_PROXIES: 'loopback' } });
  const sources = (id: string) =>
    context.server.query('SELECT kind FROM known_sources WHERE user_id = $1', [id]) as Promise<
      { kind: string }[]
    >;

  it('are at most 100 of each kind: the newest', async () => {
    const { id, email } = await context.server.person();
    const first = await signIn(context.server.anonymous, { email });
    await context.server.query(
      `INSERT INTO known_sources (source, user_id, kind, expires_at)
       SELECT sha256(convert_to(n::text, 'UTF8')), $1, CASE WHEN n % 2 = 0 THEN 'device' ELSE 'network' END, now() + interval '1 year'
       FROM generate_series(1, 210) AS n`,
      [id],
    );
    await signIn(context.server.anonymous, { email });
    const kinds = (await sources(id)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'device')).toHaveLength(100);
    expect(kinds.filter((kind) => kind === 'network')).toHaveLength(100);
    await guesses(context.server.anonymous, ATTEMPTS + 1, { email });
    const device = first.cookies[COOKIE];
    expect((await signIn(context.server.anonymous, { email, device })).status).toBe(429);
  });

  it('are deleted when they have expired, and with the person', async () => {
    const { id, email } = await context.server.person();
    await signIn(context.server.anonymous, { email });
    expect(await sources(id)).toHaveLength(2);
    await context.server.clock.advance('31d');
    await context.server.runHousekeeping();
    expect(await sources(id)).toEqual([{ kind: 'device' }]);
    await context.server.query('DELETE FROM subjects WHERE id = $1', [id]);
    expect(await sources(id)).toEqual([]);
  });
});

describe('a sign-in', () => {
  const context = useServer({ env: { TRUSTED_PROXIES: 'loopback' } });
  const wrong = { password: 'not this password' };

  it('has its own limit for the password of its person', async () => {
    const ada = await context.server.person();
    const [one, two] = [await signIns[0]!.of(ada), await signIns.at(-1)!.of(ada)];
    const reauthenticate = (client: Client, body: object) =>
      client.post('/v1/sessions/current/reauthentication', body);
    await guesses(context.server.anonymous, ATTEMPTS + 1, { email: ada.email });
    for (let i = 0; i < ATTEMPTS; i += 1) expect((await reauthenticate(one, wrong)).status).toBe(401);
    const right = { password: ada.password };
    expect(await reauthenticate(one, right)).toMatchObject({ status: 429, problem: 'rate-limited' });
    expect((await reauthenticate(two, right)).status).toBe(200);
  });

  it('counts a change of password in the same limit', async () => {
    const ada = await context.server.person();
    const session = await signIns[0]!.of(ada);
    const change = (currentPassword: string) =>
      session.put('/v1/users/me/password', { currentPassword, newPassword: 'a new and long enough one' });
    for (let i = 0; i < ATTEMPTS; i += 1) expect((await change('wrong')).status).toBe(401);
    expect((await change(ada.password)).status).toBe(429);
    const answer = await session.post('/v1/sessions/current/reauthentication', wrong);
    expect(answer.status).toBe(429);
  });
});
