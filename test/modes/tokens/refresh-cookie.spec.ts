import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, Client } from '../../support/client.js';
// room: oauth
import { postForm } from '../../support/form.js';
// /room
import { signIns, tokens } from '../../support/modes/any.js';
// room: own-api-keys
import { apiKeyOf } from '../../support/modes/api-key.js';
// /room
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

  it('[V3.3.2] is out of reach of scripts and of other sites, and bound to this host', async () => {
    const answer = await signIn();
    expect(answer.status).toBe(201);
    expect(setCookie(answer)).toEqual({
      value: expect.stringMatching(/^rt_[\w-]{43}$/),
      attributes: LIVE,
    });
  });

  it('[V10.1.1] is not in the body, neither at first nor later', async () => {
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
    expect((await bearer(answer).get('/v1/probes/principal')).status).toBe(200);
    expect((await refresh(withCookie(next.value), body)).status).toBe(200);
  });

  it('stands beside other cookies', async () => {
    const { value } = setCookie(await signIn());
    const client = context.server.anonymous.with({ Cookie: `theme=dark; ${NAME}=${value}; x=${NAME}=` });
    expect((await refresh(client)).status).toBe(200);
  });

  it('is refused in a body, and still works in the cookie', async () => {
    const { value } = setCookie(await signIn());
    const answer = await refresh(context.server.anonymous, { refreshToken: value });
    expect(answer).toMatchObject({ ...REFUSED, cookieNames: [] });
    expect((await refresh(withCookie(value))).status).toBe(200);
  });

  // room: oauth
  it('is refused at /oauth/token, and still works in the cookie', async () => {
    const { value } = setCookie(await signIn());
    const { anonymous } = context.server;
    const form = { grant_type: 'refresh_token', refresh_token: value, client_id: 'first-party' };
    expect(await postForm(anonymous, '/oauth/token', form)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    expect((await refresh(withCookie(value))).status).toBe(200);
  });
  // /room

  it('gets no successor in a body, even within the grace', async () => {
    const { value } = setCookie(await signIn());
    const next = setCookie(await refresh(withCookie(value))).value;
    expect(setCookie(await refresh(withCookie(value))).value).toBe(next);
    expect(await refresh(context.server.anonymous, { refreshToken: value })).toMatchObject(REFUSED);
    // It was used, and shown where no browser shows it: somebody has copied it.
    expect(await refresh(withCookie(next))).toMatchObject(REFUSED);
  });

  it('is refused in a cookie if it was made for a body', async () => {
    const { refreshToken } = await tokens[0]!.of(ada);
    expect(await refresh(withCookie(refreshToken))).toMatchObject(REFUSED);
    expect((await refresh(context.server.anonymous, { refreshToken })).status).toBe(200);
  });

  it('lasts no longer than the sign-in', async () => {
    const { clock } = context.server;
    let answer = await signIn();
    for (const duration of ['10d', '10d']) {
      await clock.advance(duration);
      answer = await refresh(withCookie(setCookie(answer).value));
    }
    const [maxAge] = setCookie(answer).attributes.flatMap((a) => /^Max-Age=(\d+)$/.exec(a)?.[1] ?? []);
    await clock.reset();
    expect(Number(maxAge)).toBeGreaterThan(10 * 86_400 - 60);
    expect(Number(maxAge)).toBeLessThanOrEqual(10 * 86_400);
  });

  it('is read by no other route: each answers as it does without the cookie', async () => {
    const { value } = setCookie(await signIn());
    const { anonymous } = context.server;
    const routes = await context.server.routes();
    expect(routes.length).toBeGreaterThan(50);
    for (const { method, path } of routes) {
      if (path === '/v1/tokens/refresh') continue;
      const url = path.replaceAll(/:\w+/g, '01900000-0000-7000-8000-000000000000');
      const [without, beside] = [
        await anonymous.call(method, url),
        await withCookie(value).call(method, url),
      ];
      const answers = [without, beside].map(({ status, problem, cookies, challenges }) => ({
        url,
        status,
        problem,
        cookies,
        challenges,
      }));
      expect(answers[1]).toEqual(answers[0]);
    }
    expect((await refresh(withCookie(value))).status).toBe(200);
  });

  it('is not a second credential beside another one', async () => {
    const { value } = setCookie(await signIn());
    const Cookie = `${NAME}=${value}`;
    const clients = await Promise.all(signIns.map(({ of }) => of(ada)));
    // room: own-api-keys
    clients.push(await apiKeyOf(ada, ['probes:read']));
    // /room
    for (const client of clients) {
      const own = client.headers['Cookie'];
      for (const cookies of [Cookie, `${Cookie}; ${Cookie}`]) {
        const both = client.with({ Cookie: own ? `${cookies}; ${own}` : cookies });
        expect((await both.get('/v1/probes/principal')).status).toBe(200);
      }
    }
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
      expect(answer).toMatchObject({ status: 403, problem: 'csrf', cookieNames: [] });
      expect((await refresh(withCookie(value))).status).toBe(200);
    });

    it.each([
      ['one that a sibling host has set', (ours: string, theirs: string) => [ours, theirs]],
      ['one that a sibling host has set in front of it', (ours: string, theirs: string) => [theirs, ours]],
      ['a copy', (ours: string) => [ours, ours]],
      ['junk', (ours: string) => [ours, '']],
    ])('when it comes with %s, which would stay behind alone', async (_what, both) => {
      const [ours, theirs] = [setCookie(await signIn()).value, setCookie(await signIn()).value];
      const answer = await refresh(withCookie(...both(ours, theirs)));
      expect(answer).toMatchObject({ ...REFUSED, cookieNames: [] });
      for (const value of [ours, theirs]) expect((await refresh(withCookie(value))).status).toBe(200);
    });

    it.each(['/v1/sessions/current', 'the sign-in by its id'])(
      'by a sign-out that it comes to twice (DELETE %s)',
      async (path) => {
        const pair = await signIn();
        const { body } = await bearer(pair).get('/v1/sessions/current');
        const { value } = setCookie(pair);
        const cookies = [`${NAME}=${value}`, `${NAME}=x`, '__Host-session=x', '__Host-session=y'];
        const client = bearer(pair).with({ Cookie: cookies.join('; ') });
        const url = path.startsWith('/') ? path : `/v1/sessions/${body.id}`;
        expect(await client.delete(url)).toMatchObject({ status: 204, cookieNames: [] });
        expect(await refresh(withCookie(value))).toMatchObject(REFUSED);
      },
    );

    it('when a body is sent beside it', async () => {
      const { value } = setCookie(await signIn());
      const answer = await refresh(withCookie(value), { refreshToken: value });
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed', cookieNames: [] });
    });
  });

  describe('is cleared', () => {
    it.each([
      ['malformed', () => [`rt_`]],
      ['empty', () => ['']],
      ['unknown', () => [`rt_${'A'.repeat(43)}`]],
    ])('when it is %s', async (_what, values) => {
      const answer = await refresh(withCookie(...values()));
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
      expect(answer).toMatchObject({ ...REFUSED, cookieNames: [] });
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
