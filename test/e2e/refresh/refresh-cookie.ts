import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, Client } from '../../support/client.js';
import type { Person } from '../../support/person.js';
import { PASSWORD, useServer } from '../../support/server.js';

const NAME = '__Host-refresh';
const REFUSED = { status: 401, problem: 'invalid-refresh-token' };
const APP = 'https://app.example.com';

/** The Set-Cookie line of the refresh cookie: its value, and its attributes in the order of the alphabet. */
function setCookie({ headers }: Answer): { value: string; attributes: string[] } {
  const lines = headers.getSetCookie().filter((line) => line.startsWith(`${NAME}=`));
  expect(lines).toHaveLength(1);
  const [pair, ...attributes] = lines[0]!.split('; ');
  return { value: pair!.slice(NAME.length + 1), attributes: attributes.toSorted() };
}

/** Fourteen days, less what the test took. */
const LIVE = [
  'HttpOnly',
  expect.stringMatching(/^Max-Age=(1209600|12095\d\d)$/),
  'Path=/',
  'SameSite=Strict',
  'Secure',
];
const CLEARED = {
  value: '',
  attributes: [
    'Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    'HttpOnly',
    'Max-Age=0',
    'Path=/',
    'SameSite=Strict',
    'Secure',
  ],
};

const refresh = (client: Client, body?: unknown) => client.post('/v1/tokens/refresh', body);

describe('a refresh token in a cookie', () => {
  const context = useServer({ env: { CORS_ORIGINS: APP } });
  let ada: Person;
  beforeAll(async () => {
    ada = await context.server.person();
  });

  const signIn = () =>
    context.server.anonymous.post('/v1/tokens', {
      email: ada.email,
      password: ada.password,
      refreshIn: 'cookie',
    });
  const withCookie = (...values: string[]): Client =>
    context.server.anonymous.with({ Cookie: values.map((value) => `${NAME}=${value}`).join('; ') });
  const bearer = ({ body }: Answer): Client =>
    context.server.anonymous.with({ Authorization: `Bearer ${body.access_token}` });

  it('is out of reach of scripts and of other sites, and goes to these routes only', async () => {
    const answer = await signIn();
    expect(answer.status).toBe(201);
    expect(setCookie(answer)).toEqual({
      value: expect.stringMatching(/^rt_[\w-]{43}$/),
      attributes: LIVE,
    });
  });

  it('is not in the body, neither at first nor later', async () => {
    const first = await signIn();
    const later = await refresh(withCookie(setCookie(first).value));
    for (const { body } of [first, later])
      expect(Object.keys(body)).toEqual(['access_token', 'token_type', 'expires_in', 'scope']);
  });

  it.each([
    ['no body', undefined],
    ['an empty object', {}],
    ['an empty text', ''],
  ])('refreshes with %s, and is replaced', async (_what, body) => {
    const { value } = setCookie(await signIn());
    const answer = await refresh(withCookie(value), body);
    expect(answer.status).toBe(200);
    const next = setCookie(answer);
    expect(next.attributes).toEqual(LIVE);
    expect(next.value).not.toBe(value);
    expect((await bearer(answer).get('/v1/whoami')).status).toBe(200);
    expect((await refresh(withCookie(next.value), body)).status).toBe(200);
  });

  it('stands beside other cookies', async () => {
    const { value } = setCookie(await signIn());
    const client = context.server.anonymous.with({ Cookie: `theme=dark; ${NAME}=${value}; x=${NAME}=` });
    expect((await refresh(client)).status).toBe(200);
  });

  it('stays in the cookie if a body brings it: a script cannot read the next one', async () => {
    const { value } = setCookie(await signIn());
    const answer = await refresh(context.server.anonymous, { refreshToken: value });
    expect(answer).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
    expect(answer.body).not.toHaveProperty('refresh_token');
    expect(setCookie(answer).value).toMatch(/^rt_/);
  });

  it('lasts no longer than the sign-in', async () => {
    const { clock } = context.server;
    let answer = await signIn();
    for (const duration of ['10d', '10d']) {
      clock.advance(duration);
      answer = await refresh(withCookie(setCookie(answer).value));
    }
    const [maxAge] = setCookie(answer).attributes.flatMap((a) => /^Max-Age=(\d+)$/.exec(a)?.[1] ?? []);
    clock.reset();
    expect(Number(maxAge)).toBeGreaterThan(10 * 86_400 - 60);
    expect(Number(maxAge)).toBeLessThanOrEqual(10 * 86_400);
  });

  it('authenticates nothing else', async () => {
    const { value } = setCookie(await signIn());
    expect(await withCookie(value).get('/v1/whoami')).toMatchObject({
      status: 401,
      problem: 'credential-required',
    });
  });

  describe('is taken', () => {
    it.each([
      ['without an Origin, as from curl', () => ({})],
      ['from the same origin', () => ({ Origin: context.server.url, 'Sec-Fetch-Site': 'same-origin' })],
      ['from an origin that CORS_ORIGINS names', () => ({ Origin: APP, 'Sec-Fetch-Site': 'same-origin' })],
    ])('%s', async (_what, headers) => {
      const { value } = setCookie(await signIn());
      expect((await refresh(withCookie(value).with(headers()))).status).toBe(200);
    });
  });

  describe('is left as it is', () => {
    it.each([
      { Origin: 'https://evil.example.com' },
      { Origin: 'null' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
    ])('when another site sends it: %j', async (headers) => {
      const { value } = setCookie(await signIn());
      const answer = await refresh(withCookie(value).with(headers));
      expect(answer).toMatchObject({ status: 403, problem: 'csrf', cookies: {} });
      expect((await refresh(withCookie(value))).status).toBe(200);
    });

    it('when a body is sent beside it', async () => {
      const { value } = setCookie(await signIn());
      const answer = await refresh(withCookie(value), { refreshToken: value });
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed', cookies: {} });
    });
  });

  describe('is cleared', () => {
    it.each([
      ['malformed', () => [`rt_`]],
      ['empty', () => ['']],
      ['unknown', () => [`rt_${'A'.repeat(43)}`]],
      ['one of two', async () => [setCookie(await signIn()).value, `rt_${'A'.repeat(43)}`]],
      ['sent twice', async () => Array<string>(2).fill(setCookie(await signIn()).value)],
    ])('when it is %s', async (_what, values) => {
      const answer = await refresh(withCookie(...(await values())));
      expect(answer).toMatchObject(REFUSED);
      expect(setCookie(answer)).toEqual(CLEARED);
    });

    it('when it was used before, and so was the next', async () => {
      const { value } = setCookie(await signIn());
      const next = setCookie(await refresh(withCookie(value))).value;
      await refresh(withCookie(next));
      const answer = await refresh(withCookie(value));
      expect(answer).toMatchObject(REFUSED);
      expect(setCookie(answer)).toEqual(CLEARED);
    });

    it('by a sign-out, after which it is worth nothing', async () => {
      const pair = await signIn();
      const signedOut = await bearer(pair).delete('/v1/sessions/current');
      expect(signedOut.status).toBe(204);
      expect(setCookie(signedOut)).toEqual(CLEARED);
      expect(await refresh(withCookie(setCookie(pair).value))).toMatchObject(REFUSED);
    });

    it('not by a refusal of a token in the body', async () => {
      const answer = await refresh(context.server.anonymous, { refreshToken: 'rt_' });
      expect(answer).toMatchObject({ ...REFUSED, cookies: {} });
    });
  });

  it.each([
    ['a reauthentication', '/v1/sessions/current/reauthentication', { password: PASSWORD }, 'POST'],
    [
      'a change of the password',
      '/v1/users/me/password',
      { currentPassword: PASSWORD, newPassword: 'another horse, another staple' },
      'PUT',
    ],
  ])('is replaced by %s', async (_what, path, body, method) => {
    const before = await signIn();
    const after = await bearer(before).call(method, path, { body });
    if (method === 'PUT') ada.password = 'another horse, another staple';
    expect(after.status).toBe(200);
    expect(after.body).not.toHaveProperty('refresh_token');
    expect(await refresh(withCookie(setCookie(before).value))).toMatchObject(REFUSED);
    expect((await refresh(withCookie(setCookie(after).value))).status).toBe(200);
  });
});
