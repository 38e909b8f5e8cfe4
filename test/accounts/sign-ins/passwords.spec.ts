import { hash } from '@node-rs/argon2';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Answer, Client } from '../../support/client.js';
import {
  refreshed,
  signIn,
  signInIdOf,
  signIns,
  // room: tokens
  tokens,
  // /room
} from '../../support/modes/any.js';
// room: own-api-keys
import { apiKeyOf } from '../../support/modes/api-key.js';
// /room
// room: sessions
import { sessionOf } from '../../support/modes/session.js';
// /room
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
  let client: Client;
  let other: Client;
  beforeEach(async () => {
    await context.server.clock.reset();
    ada = await context.server.person();
    client = await signIn(ada);
    other = await signIns.at(-1)!.of(ada);
  });

  const change = (client: Client, currentPassword = PASSWORD, newPassword = NEW_PASSWORD) =>
    client.put(CHANGE, { currentPassword, newPassword });
  const reauthenticate = (client: Client, password = PASSWORD) => client.post(REAUTHENTICATION, { password });
  // room: tokens
  const refresh = (refreshToken: string) =>
    context.server.anonymous.post('/v1/tokens/refresh', { refreshToken });
  // /room
  const ask = (password: string, { path, fields } = signIns[0]!) =>
    context.server.anonymous.post(path, { email: ada.email, password, ...fields });
  const alive = async (client: Client) => (await client.get('/v1/probes/principal')).status === 200;
  const authTime = async (client: Client) =>
    Date.parse((await client.get('/v1/probes/principal')).body.authTime);

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
    // room: sessions
    it('gives a session another cookie and CSRF token, and keeps its id and its end', async () => {
      const session = await sessionOf(ada);
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

    it('[V7.2.4] refuses the old cookie and the old CSRF token', async () => {
      const session = await sessionOf(ada);
      const fresh = renewed(await renew(session));
      expect(await session.get('/v1/probes/principal')).toMatchObject(INVALID);
      const old = fresh.with({ 'X-CSRF-Token': session.csrfToken });
      expect(await old.patch('/v1/users/me', {})).toMatchObject({ status: 403, problem: 'csrf' });
      expect((await fresh.patch('/v1/users/me', {})).status).toBe(200);
    });
    // /room

    // room: tokens
    it.each(tokens)(
      'gives a $mode another pair for the same sign-in, and ends the old pair at once',
      async ({ of }) => {
        const token = await of(ada);
        const scope = (await token.get('/v1/probes/principal')).body.scopes.join(' ');
        const answer = await renew(token);
        expect(answer).toMatchObject({ status: 200, cookieNames: [] });
        expect(answer.body).toEqual({
          access_token: expect.any(String),
          token_type: 'Bearer',
          expires_in: 600,
          scope,
          refresh_token: expect.stringMatching(/^rt_/),
        });
        expect(await token.get('/v1/probes/principal')).toMatchObject(INVALID);
        expect(await refresh(token.refreshToken)).toMatchObject(INVALID_REFRESH);
        const next = await refresh(answer.body.refresh_token);
        expect(next.status).toBe(200);
        expect(await alive(renewed(next))).toBe(true);
      },
    );

    it('puts the refresh token in the cookie if it was there before', async () => {
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

    it.each(tokens)('refuses a $mode without the scope account:security', async ({ of }) => {
      expect(await renew(await of(ada, { scope: 'profile:write' }))).toMatchObject(INSUFFICIENT);
    });
    // /room

    it.each(signIns)('keeps the id of a sign-in by $mode', async ({ of }) => {
      const old = await of(ada);
      const id = await signInIdOf(old);
      expect(await signInIdOf(renewed(await renew(old)))).toBe(id);
    });

    it('renews the time at which the person proved who they are', async () => {
      const before = await authTime(client);
      await context.server.clock.advance('9m');
      const fresh = renewed(await renew(client));
      expect((await authTime(fresh)) - before).toBeGreaterThanOrEqual(540_000);
      await context.server.clock.advance('9m');
      // The sign-in is recent enough: only the password is wrong.
      expect(await change(fresh, 'a wrong password')).toMatchObject(INVALID);
    });

    it.each([
      ['a wrong password', 'a wrong password'],
      ['an empty one', ''],
      ['one in another case', PASSWORD.toUpperCase()],
    ])('[V6.2.3] refuses %s, and changes nothing', async (_what, password) => {
      expect(await renew(client, password)).toMatchObject({ ...INVALID, cookieNames: [] });
      expect(await renew(other, password)).toMatchObject(INVALID);
      expect([await alive(client), await alive(other)]).toEqual([true, true]);
      expect((await ask(PASSWORD)).status).toBe(201);
    });

    // room: own-api-keys
    it('refuses keys', async () => {
      const key = await apiKeyOf(ada, ['profile:write']);
      expect(await renew(key)).toMatchObject({ status: 401, problem: 'mode-not-accepted' });
    });
    // /room
  });

  describe('PUT /v1/users/me/password', () => {
    const TOO_OLD = { status: 401, problem: 'insufficient-user-authentication', body: { maxAge: 600 } };

    it('[V6.2.2] signs in with the new password, and refuses the old one', async () => {
      await change(client);
      expect(await ask(PASSWORD)).toMatchObject(INVALID);
      expect((await ask(NEW_PASSWORD)).status).toBe(201);
    });

    it('[V7.4.3] ends every other sign-in of the person, and no other credential', async () => {
      const eve = await signIn(await context.server.person());
      const others = await Promise.all(signIns.map(({ of }) => of(ada)));
      // room: own-api-keys
      const key = await apiKeyOf(ada, ['probes:read']);
      // /room
      const fresh = renewed(await change(client));
      for (const one of [other, ...others])
        expect(await one.get('/v1/probes/principal')).toMatchObject(INVALID);
      expect((await fresh.get('/v1/sessions')).body.items).toHaveLength(1);
      expect(await alive(eve)).toBe(true);
      // room: own-api-keys
      expect(await alive(key)).toBe(true);
      // /room
    });

    // room: tokens
    it.each(tokens)('ends the refresh token of another $mode', async ({ of }) => {
      const token = await of(ada);
      await change(client);
      expect(await refresh(token.refreshToken)).toMatchObject(INVALID_REFRESH);
    });
    // /room

    it.each(signIns)('ends the others if it comes by $mode', async ({ of }) => {
      await change(await of(ada));
      for (const one of [client, other]) expect(await one.get('/v1/probes/principal')).toMatchObject(INVALID);
    });

    it('[V6.3.7] tells the person by mail', async () => {
      const before = (await context.server.mails()).length;
      await change(client);
      const mails = (await context.server.mails()).slice(before);
      expect(mails).toHaveLength(1);
      expect(mails[0]).toContain(`To: ${ada.email}`);
      expect(mails[0]).toContain('Subject: Your password was changed');
    });

    it.each(signIns)('needs a sign-in by $mode within the last ten minutes', async ({ of, scheme }) => {
      const one = await of(ada);
      await context.server.clock.advance('9m');
      expect(await change(one, 'a wrong password')).toMatchObject(INVALID);
      await context.server.clock.advance('2m');
      const late = await refreshed(one);
      expect(await change(late)).toMatchObject({
        ...TOO_OLD,
        challenges: `${scheme} realm="api", error="insufficient_user_authentication", max_age="600"`,
      });
      expect((await change(renewed(await reauthenticate(late)))).status).toBe(200);
    });

    it.each([
      ['7 characters', 'kqzvwxj'],
      ['129 characters', `${'kqzvwxjp'.repeat(16)}x`],
      ['a common password', 'Password1'],
      ['a lone surrogate', 'a long enough \ud800 password'],
    ])('refuses a new password of %s, and changes nothing', async (_what, newPassword) => {
      const answer = await change(client, PASSWORD, newPassword);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer: '/newPassword' }]);
      expect([await alive(client), await alive(other)]).toEqual([true, true]);
      expect((await ask(PASSWORD)).status).toBe(201);
    });

    it('refuses the address and the name as a new password', async () => {
      await client.patch('/v1/users/me', { name: 'Augusta Ada' });
      for (const newPassword of [ada.email, 'Augusta Ada']) {
        // As a text: the test's own search for secrets would find these among the users.
        const body = JSON.stringify({ currentPassword: PASSWORD, newPassword });
        expect((await client.put(CHANGE, body)).body.errors).toMatchObject([{ pointer: '/newPassword' }]);
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
      const answer = await client.put(CHANGE, body);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer }]);
    });
  });

  describe('POST /v1/sessions/current/reauthentication', () => {
    it('keeps the other sign-ins', async () => {
      const third = await signIn(ada);
      await reauthenticate(client);
      expect([await alive(other), await alive(third)]).toEqual([true, true]);
    });

    it('renews once if it comes twice at once, with secrets that work', async () => {
      const answers = await Promise.all([reauthenticate(client), reauthenticate(client)]);
      const [won, lost] = answers.toSorted((a, b) => a.status - b.status);
      expect(lost).toMatchObject({ ...INVALID, cookieNames: [] });
      expect(won!.status).toBe(200);
      expect(await alive(renewed(won!))).toBe(true);
    });

    it('takes a sign-in of any age', async () => {
      await context.server.clock.advance('20h');
      expect((await reauthenticate(await refreshed(client))).status).toBe(200);
    });

    it.each([
      ['nothing', {}, '/password'],
      ['a number', { password: 12345678 }, '/password'],
      ['an unknown field', { password: PASSWORD, email: 'eve@example.com' }, '/email'],
    ])('refuses %s', async (_what, body, pointer) => {
      const answer = await client.post(REAUTHENTICATION, body);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer }]);
    });
  });

  describe('a password that was hashed with other parameters', () => {
    it('[V11.2.2] is hashed anew at the next sign-in', async () => {
      const dataSource = context.server;
      const weaker = await hash(PASSWORD, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
      await dataSource.query('UPDATE users SET password_hash = $2 WHERE id = $1', [ada.id, weaker]);
      expect(await ask('a wrong password')).toMatchObject(INVALID);
      const stored = () => dataSource.query('SELECT password_hash FROM users WHERE id = $1', [ada.id]);
      expect(await stored()).toEqual([{ password_hash: weaker }]);
      expect((await ask(PASSWORD)).status).toBe(201);
      expect(await stored()).toEqual([
        { password_hash: expect.stringMatching(/^\$argon2id\$v=19\$m=512,t=1,p=1\$/) },
      ]);
      expect((await ask(PASSWORD)).status).toBe(201);
    });

    it('lets the person in also twice at once', async () => {
      const weaker = await hash(PASSWORD, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
      await context.server.query('UPDATE users SET password_hash = $2 WHERE id = $1', [ada.id, weaker]);
      const answers = await Promise.all([ask(PASSWORD), ask(PASSWORD), ask(PASSWORD)]);
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    });
  });
});
