import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PasswordHasher } from '../../../src/platform/crypto/password-hasher.js';
import { randomSecret, sha256 } from '../../../src/platform/crypto/secret.js';
import type { Answer } from '../../support/client.js';
import { InProcessServer } from '../../support/in-process.js';
// room: tokens
import { tokens } from '../../support/modes/any.js';
// /room
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { PASSWORD, useStarted } from '../../support/server.js';

const COOKIE = '__Host-session';
const INVALID = { status: 401, problem: 'invalid-credential' };
const CSRF = { status: 403, problem: 'csrf' };
const APP = 'https://app.example.com';

describe('sessions', () => {
  const context = useStarted(() => InProcessServer.start({ env: { CORS_ORIGINS: APP } }));
  let ada: Person;
  beforeAll(async () => {
    ada = await context.server.person();
  });

  const whoami = (cookie: string) =>
    context.server.anonymous.get('/v1/probes/principal', { headers: { Cookie: cookie } });
  const signIn = (body: object, headers: Record<string, string> = {}) =>
    context.server.anonymous.post('/v1/sessions', body, { headers });
  const credentials = () => ({ email: ada.email, password: PASSWORD });

  /** What an answer shows to who asks, but for the request's own id and time. */
  function visible({ status, body, headers }: Answer) {
    const shown = Object.fromEntries(headers);
    // The count of RateLimit goes down with each request.
    for (const name of ['x-request-id', 'date', 'ratelimit']) delete shown[name];
    return { status, body: { ...body, instance: 'any' }, headers: shown };
  }

  describe('POST /v1/sessions', () => {
    it('[V3.3.4] answers with the session, the user and the CSRF token, and the secret in the cookie only', async () => {
      const answer = await signIn(credentials());
      expect(answer.status).toBe(201);
      expect(answer.body).toEqual({
        session: expect.objectContaining({ id: expect.any(String), carrier: 'cookie', current: true }),
        user: expect.objectContaining({ id: ada.id, email: ada.email }),
        csrfToken: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      });
      const secret = answer.cookies[COOKIE]!;
      expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(JSON.stringify(answer.body)).not.toContain(secret);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    });

    it('[V3.3.1] sets the cookie for this host, https and no script', async () => {
      const { headers } = await signIn(credentials());
      const cookies = headers.getSetCookie().filter((cookie) => !cookie.startsWith('__Host-device='));
      expect(cookies).toHaveLength(1);
      const [pair, ...attributes] = cookies[0]!.split('; ');
      expect(pair).toMatch(/^__Host-session=/);
      const maxAge = expect.stringMatching(/^Max-Age=604(800|79\d)$/);
      expect(attributes.toSorted()).toEqual(['HttpOnly', maxAge, 'Path=/', 'SameSite=Lax', 'Secure']);
    });

    it('[V7.2.3] stores the SHA-256 of the secret only', async () => {
      const session = await sessionOf(ada);
      const rows = await context.server.dataSource.query('SELECT * FROM sessions WHERE sign_in_id = $1', [
        session.signInId,
      ]);
      expect(rows).toEqual([{ sign_in_id: session.signInId, secret_hash: sha256(session.cookie) }]);
    });

    it('answers the same to a wrong password, an unknown address and a disabled user, after the same work', async () => {
      const { server } = context;
      const eve = await server.person();
      await server.dataSource.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [eve.id]);
      const verify = jest.spyOn(server.app.get(PasswordHasher), 'verify');
      const answers = [];
      for (const body of [
        { email: ada.email, password: 'a wrong password' },
        { email: 'nobody@example.com', password: PASSWORD },
        { email: eve.email, password: PASSWORD },
        { email: eve.email, password: 'a wrong password' },
        { email: ada.email, password: '' },
      ]) {
        verify.mockClear();
        const answer = await signIn(body);
        expect(verify).toHaveBeenCalledTimes(1);
        expect(answer).toMatchObject({ ...INVALID, cookieNames: [] });
        answers.push(visible(answer));
      }
      jest.restoreAllMocks();
      expect(answers[0]!.headers['www-authenticate']).toContain('Session realm="api"');
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      const reasons = server.entries().filter(({ event }) => event === 'sign-in.refused');
      expect(reasons.slice(-5).map(({ reason }) => reason)).toEqual([
        'wrong password',
        'unknown address',
        'user disabled',
        'wrong password',
        'wrong password',
      ]);
    });

    it.each([
      ['no password', { email: 'ada@example.com' }, '/password'],
      ['no address', { password: PASSWORD }, '/email'],
      ['an object for a password', { email: 'ada@example.com', password: {} }, '/password'],
      [
        'a password of 1025 characters',
        { email: 'ada@example.com', password: 'x'.repeat(1025) },
        '/password',
      ],
      ['an unknown field', { email: 'ada@example.com', password: PASSWORD, remember: true }, '/remember'],
    ])('refuses %s', async (_what, body, pointer) => {
      const answer = await signIn(body);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer }]);
    });

    it.each([
      ['a foreign Origin', { Origin: 'https://evil.example' }],
      ['Origin null', { Origin: 'null' }],
      ['a subdomain of an allowed Origin', { Origin: 'https://x.app.example.com' }],
      ['Sec-Fetch-Site cross-site', { 'Sec-Fetch-Site': 'cross-site' }],
      ['Sec-Fetch-Site same-site', { 'Sec-Fetch-Site': 'same-site' }],
    ])('refuses to sign in with %s', async (_what, headers) => {
      expect(await signIn(credentials(), headers)).toMatchObject({ ...CSRF, cookieNames: [] });
    });

    it('[V7.6.2] signs in from the same host, from an origin that CORS_ORIGINS names, and from curl', async () => {
      for (const headers of [
        { Origin: context.server.url },
        { Origin: APP },
        { 'Sec-Fetch-Site': 'none' },
        {},
      ])
        expect((await signIn(credentials(), headers as Record<string, string>)).status).toBe(201);
    });
  });

  describe('a cookie that comes along to a sign-in', () => {
    it('[V7.2.4] is not kept, and its session ends', async () => {
      const old = await sessionOf(ada);
      const answer = await signIn(credentials(), { Cookie: `${COOKIE}=${old.cookie}` });
      expect(answer.status).toBe(201);
      expect(answer.cookies[COOKIE]).not.toBe(old.cookie);
      expect(answer.body.session.id).not.toBe(old.signInId);
      expect(await old.get('/v1/probes/principal')).toMatchObject(INVALID);
      expect((await whoami(`${COOKIE}=${answer.cookies[COOKIE]!}`)).status).toBe(200);
    });

    it('ends also if it is of somebody else, and each of several', async () => {
      const eve = await context.server.person();
      const [one, other] = [await sessionOf(eve), await sessionOf(eve)];
      const staying = await sessionOf(eve);
      const Cookie = `${COOKIE}=${one.cookie}; a=b; ${COOKIE}=${other.cookie}; ${COOKIE}=junk`;
      expect((await signIn(credentials(), { Cookie })).body.user.id).toBe(ada.id);
      for (const ended of [one, other])
        expect(await ended.get('/v1/probes/principal')).toMatchObject(INVALID);
      expect((await staying.get('/v1/probes/principal')).status).toBe(200);
    });

    it('never becomes a session, if somebody else made it up', async () => {
      const madeUp = randomSecret();
      const answer = await signIn(credentials(), { Cookie: `${COOKIE}=${madeUp}` });
      expect(answer.status).toBe(201);
      expect(answer.cookies[COOKIE]).not.toBe(madeUp);
      expect(await whoami(`${COOKIE}=${madeUp}`)).toMatchObject(INVALID);
    });

    it('goes on working where the sign-in fails', async () => {
      const session = await sessionOf(ada);
      const Cookie = `${COOKIE}=${session.cookie}`;
      expect(await signIn({ email: ada.email, password: 'a wrong password' }, { Cookie })).toMatchObject(
        INVALID,
      );
      expect((await session.get('/v1/probes/principal')).status).toBe(200);
    });
  });

  describe('a session cookie on a request', () => {
    let session: SessionClient;
    beforeAll(async () => {
      session = await sessionOf(ada);
    });

    it('stands for the person, with all that the person may do', async () => {
      const { status, body } = await session.get('/v1/probes/principal');
      expect(status).toBe(200);
      expect(body).toMatchObject({
        mode: 'session',
        subject: ada.id,
        credentialId: session.signInId,
        amr: ['pwd'],
      });
      expect(body.scopes).toContain('account:security');
      expect(body.scopes.filter((scope: string) => scope.startsWith('admin:'))).toEqual([]);
    });

    it('[V7.2.1] is refused if it is unknown', async () => {
      expect(await whoami(`${COOKIE}=${randomSecret()}`)).toMatchObject(INVALID);
    });

    it.each([
      ['is empty', () => `${COOKIE}=`],
      ['is too short', (secret: string) => `${COOKIE}=${secret.slice(1)}`],
      ['is padded', (secret: string) => `${COOKIE}=${secret}=`],
      ['is quoted', (secret: string) => `${COOKIE}="${secret}"`],
      [
        'is encoded',
        (secret: string) => `${COOKIE}=%${secret.codePointAt(0)!.toString(16)}${secret.slice(1)}`,
      ],
      ['comes twice', (secret: string) => `${COOKIE}=${secret}; ${COOKIE}=${secret}`],
      ['comes twice, with a wrong one first', (secret: string) => `${COOKIE}=x; ${COOKIE}=${secret}`],
      ['has 10 kB', () => `${COOKIE}=${'x'.repeat(10_000)}`],
    ])('is refused without a lookup if it %s', async (_what, cookie) => {
      const queries = jest.spyOn(context.server.dataSource.logger, 'logQuery');
      const answer = await whoami(cookie(session.cookie));
      const lookups = queries.mock.calls.filter(([sql]) => sql.includes('sessions'));
      jest.restoreAllMocks();
      expect(answer).toMatchObject(INVALID);
      expect(lookups).toEqual([]);
    });

    // A sibling host may set a cookie of any name that does not begin with the prefix, also one of byte 0xA0 and ours.
    it('is none if another host could have set it', async () => {
      for (const space of ['\u00a0', '\u0085'])
        for (const Cookie of [
          `${space}${COOKIE}=${session.cookie}`,
          `a=b; ${space}${COOKIE}=${session.cookie}`,
        ])
          expect(await whoami(Cookie)).toMatchObject({ status: 401, problem: 'credential-required' });
    });

    it.each(['session', 'host-session', '__host-session', '__Host-Session', '__Secure-session'])(
      '[V3.3.3] is none if it is called %s',
      async (name) => {
        expect(await whoami(`${name}=${session.cookie}`)).toMatchObject({
          status: 401,
          problem: 'credential-required',
        });
      },
    );
  });

  describe('cross-site requests with a session', () => {
    let session: SessionClient;
    let other: SessionClient;
    beforeAll(async () => {
      session = await sessionOf(ada);
      other = await sessionOf(ada);
    });
    const rename = (headers: Record<string, string>) => session.patch('/v1/users/me', {}, { headers });
    const withoutToken = () => context.server.anonymous.with({ Cookie: `${COOKIE}=${session.cookie}` });

    it('[V3.5.1] need the CSRF token on every method but GET and HEAD', async () => {
      const client = withoutToken();
      expect((await client.get('/v1/sessions')).status).toBe(200);
      expect((await client.call('HEAD', '/v1/sessions')).status).toBe(200);
      expect(await client.post('/v1/probes', { note: 'Tea' })).toMatchObject(CSRF);
      expect(await client.put('/v1/users/me/password', {})).toMatchObject(CSRF);
      expect(await client.patch('/v1/users/me', { name: 'Eve' })).toMatchObject(CSRF);
      expect(await client.delete('/v1/sessions/current')).toMatchObject(CSRF);
      expect((await session.get('/v1/users/me')).body.name).toBeNull();
    });

    it.each([
      ['an empty one', () => ''],
      ['a wrong one', () => randomSecret()],
      ['the one of another session', () => other.csrfToken],
      ['the secret of the cookie', () => session.cookie],
      ['the right one twice', () => `${session.csrfToken}, ${session.csrfToken}`],
      ['one in another case', () => session.csrfToken.toUpperCase()],
    ])('are refused with %s', async (_what, token) => {
      expect(await rename({ 'X-CSRF-Token': token() })).toMatchObject(CSRF);
    });

    it.each<[string, Record<string, string>]>([
      ['a foreign Origin', { Origin: 'https://evil.example' }],
      ['a foreign port', { Origin: 'http://127.0.0.1:1' }],
      ['Origin null', { Origin: 'null' }],
      ['Sec-Fetch-Site cross-site', { 'Sec-Fetch-Site': 'cross-site' }],
      ['Sec-Fetch-Site same-site', { 'Sec-Fetch-Site': 'same-site' }],
      ['an unknown Sec-Fetch-Site', { 'Sec-Fetch-Site': 'x' }],
    ])('are refused with %s, even with the right token, and even to read', async (_what, headers) => {
      expect(await rename(headers)).toMatchObject(CSRF);
      expect(await session.get('/v1/sessions', { headers })).toMatchObject(CSRF);
    });

    it('are none from the same host, and allowed from an origin that CORS_ORIGINS names', async () => {
      expect((await rename({ Origin: context.server.url, 'Sec-Fetch-Site': 'same-origin' })).status).toBe(
        200,
      );
      expect((await rename({ 'Sec-Fetch-Site': 'none' })).status).toBe(200);
      const answer = await rename({ Origin: APP, 'Sec-Fetch-Site': 'cross-site' });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('access-control-allow-origin')).toBe(APP);
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    });
  });

  describe('GET /v1/sessions/current/csrf-token', () => {
    it('answers with the token of this session', async () => {
      const session = await sessionOf(ada);
      const { status, body } = await session.get('/v1/sessions/current/csrf-token');
      expect(status).toBe(200);
      expect(body).toEqual({ csrfToken: session.csrfToken });
    });

    // room: tokens
    it.each(tokens)('refuses a $mode', async ({ of }) => {
      const token = await of(ada);
      expect(await token.get('/v1/sessions/current/csrf-token')).toMatchObject({
        status: 401,
        problem: 'mode-not-accepted',
        challenges: 'Session realm="api"',
      });
    });
    // /room
  });
});
