import { hash } from '@node-rs/argon2';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Answer, Client } from '../../support/client.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { jwtOf, type TokenClient } from '../../support/modes/jwt.js';
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { PASSWORD, useServer } from '../../support/server.js';

const NEW_PASSWORD = 'a new password for the person';
const INVALID = { status: 401, problem: 'invalid-credential' };
const INVALID_REFRESH = { status: 401, problem: 'invalid-refresh-token' };
const INSUFFICIENT = { status: 403, problem: 'insufficient-scope' };
const CHANGE = '/v1/users/me/password';
const REAUTHENTICATION = '/v1/sessions/current/reauthentication';

describe('passwords', () => {
  const context = useServer();
  let ada: Person;
  let session: SessionClient;
  let token: TokenClient;
  beforeEach(async () => {
    await context.server.clock.reset();
    ada = await context.server.person();
    session = await sessionOf(ada);
    token = await jwtOf(ada);
  });

  const change = (client: Client, currentPassword = PASSWORD, newPassword = NEW_PASSWORD) =>
    client.put(CHANGE, { currentPassword, newPassword });
  const reauthenticate = (client: Client, password = PASSWORD) => client.post(REAUTHENTICATION, { password });
  const refresh = (refreshToken: string) =>
    context.server.anonymous.post('/v1/tokens/refresh', { refreshToken });
  const signIn = (password: string) =>
    context.server.anonymous.post('/v1/sessions', { email: ada.email, password });
  const alive = async (client: Client) => (await client.get('/v1/probes/principal')).status === 200;
  const authTime = async (client: Client) =>
    Date.parse((await client.get('/v1/probes/principal')).body.authTime);
  const createKey = (client: Client) =>
    client.post('/v1/api-keys', { name: 'A test', scopes: ['probes:read'] });

  /** The client with the secrets that an answer renewed. */
  const renewed = ({ body, cookies }: Answer): Client =>
    context.server.anonymous.with(
      body.csrfToken
        ? { Cookie: `__Host-session=${cookies['__Host-session']}`, 'X-CSRF-Token': body.csrfToken }
        : { Authorization: `Bearer ${body.access_token}` },
    );

  /** What the two ways to prove again who one is have in common. */
  describe.each([
    ['PUT /v1/users/me/password', change],
    ['POST /v1/sessions/current/reauthentication', reauthenticate],
  ])('%s', (_route, renew) => {
    it('gives a session another cookie and CSRF token, and keeps its id and its end', async () => {
      const { id, createdAt, expiresAt } = (await session.get('/v1/sessions/current')).body;
      await context.server.clock.advance('5m');
      const answer = await renew(session);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        session: expect.objectContaining({ id, createdAt, expiresAt, carrier: 'cookie', current: true }),
        csrfToken: expect.not.stringMatching(session.csrfToken),
      });
      expect(answer.cookies['__Host-session']).not.toBe(session.cookie);
      expect(answer.headers.getSetCookie()[0]).toMatch(
        /^__Host-session=[A-Za-z0-9_-]{43}; Max-Age=604[45]\d\d; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      );
      expect(await alive(renewed(answer))).toBe(true);
    });

    it('refuses the old cookie and the old CSRF token', async () => {
      const client = renewed(await renew(session));
      expect(await session.get('/v1/probes/principal')).toMatchObject(INVALID);
      const old = client.with({ 'X-CSRF-Token': session.csrfToken });
      expect(await old.patch('/v1/users/me', {})).toMatchObject({ status: 403, problem: 'csrf' });
      expect((await client.patch('/v1/users/me', {})).status).toBe(200);
    });

    it('gives a token another pair for the same sign-in, and ends the old pair within its first second', async () => {
      const answer = await renew(token);
      expect(answer).toMatchObject({ status: 200, cookieNames: [] });
      expect(answer.body).toEqual({
        access_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: 600,
        scope: token.claims['scope'],
        refresh_token: expect.stringMatching(/^rt_/),
      });
      expect(await token.get('/v1/probes/principal')).toMatchObject(INVALID);
      expect(await refresh(token.refreshToken)).toMatchObject(INVALID_REFRESH);
      expect((await renewed(answer).get('/v1/sessions/current')).body.id).toBe(token.claims['sid']);
      const next = await refresh(answer.body.refresh_token);
      expect(next.status).toBe(200);
      expect(await alive(renewed(next))).toBe(true);
    });

    it('puts the refresh token in the cookie where it was before', async () => {
      const { body, cookies } = await context.server.anonymous.post('/v1/tokens', {
        email: ada.email,
        password: PASSWORD,
        refreshIn: 'cookie',
      });
      const answer = await renew(
        context.server.anonymous.with({ Authorization: `Bearer ${body.access_token}` }),
      );
      expect(answer.body).not.toHaveProperty('refresh_token');
      expect(answer.cookies['__Host-refresh']).toMatch(/^rt_/);
      const old = context.server.anonymous.with({ Cookie: `__Host-refresh=${cookies['__Host-refresh']}` });
      expect(await old.post('/v1/tokens/refresh')).toMatchObject(INVALID_REFRESH);
    });

    it('renews the time at which the person proved who they are', async () => {
      const before = await authTime(session);
      await context.server.clock.advance('9m');
      const client = renewed(await renew(session));
      expect((await authTime(client)) - before).toBeGreaterThanOrEqual(540_000);
      await context.server.clock.advance('9m');
      expect((await createKey(client)).status).toBe(201);
    });

    it.each([
      ['a wrong password', 'a wrong password'],
      ['an empty one', ''],
      ['one in another case', PASSWORD.toUpperCase()],
    ])('refuses %s, and changes nothing', async (_what, password) => {
      expect(await renew(session, password)).toMatchObject({ ...INVALID, cookieNames: [] });
      expect(await renew(token, password)).toMatchObject(INVALID);
      expect([await alive(session), await alive(token)]).toEqual([true, true]);
      expect((await signIn(PASSWORD)).status).toBe(201);
    });

    it('needs account:security, and is not for keys', async () => {
      expect(await renew(await jwtOf(ada, { scope: 'profile:write' }))).toMatchObject(INSUFFICIENT);
      const key = await apiKeyOf(ada, ['profile:write']);
      expect(await renew(key)).toMatchObject({ status: 401, problem: 'mode-not-accepted' });
    });
  });

  describe('PUT /v1/users/me/password', () => {
    const TOO_OLD = { status: 401, problem: 'insufficient-user-authentication', body: { maxAge: 600 } };

    it('lets the new password in, and the old one no more', async () => {
      await change(session);
      expect(await signIn(PASSWORD)).toMatchObject(INVALID);
      expect((await signIn(NEW_PASSWORD)).status).toBe(201);
    });

    it('ends every other session and token of the person, and nobody else’s', async () => {
      const eve = await sessionOf(await context.server.person());
      const others = [await sessionOf(ada), await jwtOf(ada), token];
      const key = await apiKeyOf(ada, ['probes:read']);
      const client = renewed(await change(session));
      for (const other of others) expect(await other.get('/v1/probes/principal')).toMatchObject(INVALID);
      expect(await refresh(token.refreshToken)).toMatchObject(INVALID_REFRESH);
      expect((await client.get('/v1/sessions')).body.items).toHaveLength(1);
      expect([await alive(eve), await alive(key)]).toEqual([true, true]);
    });

    it('ends sessions where it comes by token', async () => {
      await change(token);
      expect(await session.get('/v1/probes/principal')).toMatchObject(INVALID);
    });

    it('tells the person by mail', async () => {
      const before = (await context.server.mails()).length;
      await change(session);
      const mails = (await context.server.mails()).slice(before);
      expect(mails).toHaveLength(1);
      expect(mails[0]).toContain(`To: ${ada.email}`);
      expect(mails[0]).toContain('Subject: Your password was changed');
    });

    it('needs a sign-in of the last ten minutes', async () => {
      const fault = 'error="insufficient_user_authentication", max_age="600"';
      await context.server.clock.advance('9m');
      expect(await change(session, 'a wrong password')).toMatchObject(INVALID);
      await context.server.clock.advance('2m');
      expect(await change(session)).toMatchObject({
        ...TOO_OLD,
        challenges: `Session realm="api", ${fault}`,
      });
      const { body } = await refresh(token.refreshToken);
      const refreshed = context.server.anonymous.with({ Authorization: `Bearer ${body.access_token}` });
      expect(await change(refreshed)).toMatchObject({
        ...TOO_OLD,
        challenges: `Bearer realm="api", ${fault}`,
      });
      expect((await change(renewed(await reauthenticate(refreshed)))).status).toBe(200);
    });

    it.each([
      ['7 characters', 'kqzvwxj'],
      ['129 characters', `${'kqzvwxjp'.repeat(16)}x`],
      ['a common password', 'Password1'],
      ['a lone surrogate', 'a long enough \ud800 password'],
    ])('refuses a new password of %s, and changes nothing', async (_what, newPassword) => {
      const answer = await change(session, PASSWORD, newPassword);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer: '/newPassword' }]);
      expect([await alive(session), await alive(token)]).toEqual([true, true]);
      expect((await signIn(PASSWORD)).status).toBe(201);
    });

    it('refuses the address and the name as a new password', async () => {
      await session.patch('/v1/users/me', { name: 'Augusta Ada' });
      for (const newPassword of [ada.email, 'Augusta Ada']) {
        // As a text: the test's own search for secrets would find these among the users.
        const body = JSON.stringify({ currentPassword: PASSWORD, newPassword });
        expect((await session.put(CHANGE, body)).body.errors).toMatchObject([{ pointer: '/newPassword' }]);
      }
    });

    it.each([
      ['no current password', { newPassword: NEW_PASSWORD }, '/currentPassword'],
      ['no new password', { currentPassword: PASSWORD }, '/newPassword'],
      [
        'an unknown field',
        { currentPassword: PASSWORD, newPassword: NEW_PASSWORD, email: 'eve@example.com' },
        '/email',
      ],
    ])('refuses %s', async (_what, body, pointer) => {
      const answer = await session.put(CHANGE, body);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer }]);
    });
  });

  describe('POST /v1/sessions/current/reauthentication', () => {
    it('leaves other sign-ins alone', async () => {
      const other = await sessionOf(ada);
      await reauthenticate(session);
      expect([await alive(other), await alive(token)]).toEqual([true, true]);
    });

    it('renews once where it comes twice at once, so that nobody is left with a dead cookie', async () => {
      const answers = await Promise.all([reauthenticate(session), reauthenticate(session)]);
      const [won, lost] = answers.toSorted((a, b) => a.status - b.status);
      expect(lost).toMatchObject({ ...INVALID, cookieNames: [] });
      expect(won!.status).toBe(200);
      expect(await alive(renewed(won!))).toBe(true);
    });

    it('takes a sign-in of any age', async () => {
      await context.server.clock.advance('20h');
      expect((await reauthenticate(session)).status).toBe(200);
    });

    it.each([
      ['nothing', {}, '/password'],
      ['a number', { password: 12345678 }, '/password'],
      ['an unknown field', { password: PASSWORD, email: 'eve@example.com' }, '/email'],
    ])('refuses %s', async (_what, body, pointer) => {
      const answer = await session.post(REAUTHENTICATION, body);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer }]);
    });
  });

  describe('a password that was hashed with other parameters', () => {
    it('is hashed anew at the next sign-in', async () => {
      const dataSource = context.server;
      const weaker = await hash(PASSWORD, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
      await dataSource.query('UPDATE users SET password_hash = $2 WHERE id = $1', [ada.id, weaker]);
      expect(await signIn('a wrong password')).toMatchObject(INVALID);
      const stored = () => dataSource.query('SELECT password_hash FROM users WHERE id = $1', [ada.id]);
      expect(await stored()).toEqual([{ password_hash: weaker }]);
      expect((await signIn(PASSWORD)).status).toBe(201);
      expect(await stored()).toEqual([
        { password_hash: expect.stringMatching(/^\$argon2id\$v=19\$m=512,t=1,p=1\$/) },
      ]);
      expect((await signIn(PASSWORD)).status).toBe(201);
    });

    it('lets the person in also twice at once', async () => {
      const weaker = await hash(PASSWORD, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
      await context.server.query('UPDATE users SET password_hash = $2 WHERE id = $1', [ada.id, weaker]);
      const answers = await Promise.all([signIn(PASSWORD), signIn(PASSWORD), signIn(PASSWORD)]);
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    });
  });
});
