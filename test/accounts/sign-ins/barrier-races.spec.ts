import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { meet, type Meeting } from '../../support/barrier.js';
import type { Answer, Client } from '../../support/client.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { jwtOf, type TokenClient } from '../../support/modes/jwt.js';
import { SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { PASSWORD, useServer } from '../../support/server.js';

const NEW_PASSWORD = 'a new password for the person';

describe('races at a barrier', () => {
  const context = useServer();
  let ada: Person;
  let session: SessionClient;
  let token: TokenClient;
  beforeEach(async () => {
    ada = await context.server.person();
    session = await sessionOf(ada);
    token = await jwtOf(ada);
  });
  // What nobody expected is logged as an error: a deadlock, a violated constraint.
  let logged = 0;
  afterEach(async () => {
    const entries = await context.server.entries();
    const errors = entries.slice(logged).filter(({ level }) => level === 'error');
    logged = entries.length;
    expect(errors).toEqual([]);
  });

  const rowOf = (table: string, id: string): Meeting => ({
    lock: `SELECT 1 FROM ${table} WHERE id = $1 FOR UPDATE`,
    parameters: [id],
  });
  const statusOf = async (client: Client) => (await client.get('/v1/probes/principal')).status;
  const signIn = (password = PASSWORD) =>
    context.server.anonymous.post('/v1/sessions', { email: ada.email, password });
  const sessionFrom = (answer: Answer) =>
    SessionClient.from(context.server.url, context.server.secrets, { ...answer, status: 201 });
  const change = (client: Client, newPassword = NEW_PASSWORD) =>
    client.put('/v1/users/me/password', { currentPassword: PASSWORD, newPassword });
  const disable = async () => {
    const admin = await sessionOf(await context.server.administrator());
    return admin.put(`/v1/admin/users/${ada.id}/status`, { status: 'disabled' });
  };
  const depose = (by: Client, id: string) => by.put(`/v1/admin/users/${id}/roles`, { roles: [] });
  const reauthenticate = () => session.post('/v1/sessions/current/reauthentication', { password: PASSWORD });
  const signOut = (client: Client) => client.delete('/v1/sessions/current');
  const refresh = () =>
    context.server.anonymous.post('/v1/tokens/refresh', { refreshToken: token.refreshToken });
  const bearer = (accessToken: string) =>
    context.server.anonymous.with({ Authorization: `Bearer ${accessToken}` });
  const createKey = () => session.post('/v1/api-keys', { name: 'A test', scopes: ['probes:read'] });

  /** Lets two requests meet, and gives the status of each, in their order. */
  async function race(meeting: Meeting, ...requests: (() => Promise<Answer>)[]) {
    const answers = await meet(context.server, meeting, requests);
    return { answers, statuses: answers.map(({ status }) => status) };
  }

  describe('two registrations of one address', () => {
    const passwords = ['the password of one', 'the password of the other'] as const;
    const register = (email: string, password: string) => () =>
      context.server.anonymous.post('/v1/users', { email, password });
    const tokensTo = async (email: string) =>
      (await context.server.mails())
        .filter((mail) => mail.includes(`To: ${email}`))
        .map((mail) => /#([\w-]{43})/.exec(mail)![1]!);
    const worksFor = (email: string) =>
      Promise.all(
        passwords.map(
          async (password) =>
            (await context.server.anonymous.post('/v1/sessions', { email, password })).status,
        ),
      );

    it('make one account, and two links', async () => {
      const { server } = context;
      const email = 'new@example.com';
      const { statuses } = await race(
        { lock: 'LOCK TABLE users IN SHARE MODE' },
        register(email, passwords[0]),
        register(email, passwords[1]),
      );
      expect(statuses).toEqual([202, 202]);
      expect(await tokensTo(email)).toHaveLength(2);
      expect(await server.query('SELECT 1 FROM users WHERE email = $1', [email])).toHaveLength(1);
      expect(new Set(await worksFor(email))).toEqual(new Set([201, 401]));
    });

    it.each([
      [0, [201, 401]],
      [1, [401, 201]],
    ])('are confirmed at once: the first confirmation decides (%i)', async (winner, works) => {
      const email = `both-${winner}@example.com`;
      for (const password of passwords) await register(email, password)();
      const tokens = await tokensTo(email);
      const [user] = await context.server.query('SELECT id FROM users WHERE email = $1', [email]);
      const confirm = (token: string) => () =>
        context.server.anonymous.put('/v1/email-verifications', { token });
      const { statuses } = await race(
        rowOf('users', user.id),
        confirm(tokens[winner]!),
        confirm(tokens[1 - winner]!),
      );
      expect(statuses).toEqual([204, 400]);
      expect(await worksFor(email)).toEqual(works);
    });

    it('keep nothing behind a confirmation of the moment', async () => {
      const email = 'late@example.com';
      await register(email, passwords[0])();
      const [token] = await tokensTo(email);
      const [user] = await context.server.query('SELECT id FROM users WHERE email = $1', [email]);
      await race(
        rowOf('users', user.id),
        () => context.server.anonymous.put('/v1/email-verifications', { token }),
        register(email, passwords[1]),
      );
      expect(await context.server.query('SELECT 1 FROM registrations WHERE user_id = $1', [user.id])).toEqual(
        [],
      );
      expect((await context.server.mails()).at(-1)).toContain('Somebody tried to register with your address');
    });
  });

  describe('two changes of one password', () => {
    it('are one: the second finds the password changed', async () => {
      const other = await sessionOf(ada);
      const { answers, statuses } = await race(
        rowOf('users', ada.id),
        () => change(session, 'the password of one'),
        () => change(other, 'the password of the other'),
      );
      expect(statuses).toEqual([200, 401]);
      expect(await statusOf(sessionFrom(answers[0]!))).toBe(200);
      expect(await statusOf(other)).toBe(401);
      const signIns = [await signIn('the password of one'), await signIn('the password of the other')];
      expect(signIns.map(({ status }) => status)).toEqual([201, 401]);
    });
  });

  describe('a change of the password that is rolled back', () => {
    it('leaves no log line about sign-ins that have not ended', async () => {
      const other = await sessionOf(ada);
      const from = (await context.server.log()).length;
      const { statuses } = await race(rowOf('users', ada.id), reauthenticate, () => change(session));
      expect(statuses).toEqual([200, 401]);
      const events = (await context.server.entries()).slice(from).map(({ event }) => event);
      expect(events).toContain('reauthentication.succeeded');
      expect(events).not.toContain('sign-in.all-ended');
      expect(await statusOf(other)).toBe(200);
    });
  });

  describe('a sign-in and a change of the password', () => {
    it('ends with the others, where it is first', async () => {
      const { answers, statuses } = await race(
        rowOf('users', ada.id),
        () => signIn(),
        () => change(session),
      );
      expect(statuses).toEqual([201, 200]);
      expect(await statusOf(sessionFrom(answers[0]!))).toBe(401);
    });

    it('is refused with the old password, where it is second', async () => {
      const { statuses } = await race(
        rowOf('users', ada.id),
        () => change(session),
        () => signIn(),
      );
      expect(statuses).toEqual([200, 401]);
    });
  });

  describe('a sign-in and the disabling of the user', () => {
    it.each(['/v1/sessions', '/v1/tokens'])('ends, where it is first: %s', async (path) => {
      const body = { email: ada.email, password: PASSWORD };
      const { answers, statuses } = await race(
        rowOf('users', ada.id),
        () => context.server.anonymous.post(path, body),
        disable,
      );
      expect(statuses).toEqual([201, 200]);
      const [made] = answers;
      const client = made!.body.csrfToken ? sessionFrom(made!) : bearer(made!.body.access_token);
      expect(await statusOf(client)).toBe(401);
    });

    it('is refused, where it is second', async () => {
      const { statuses } = await race(rowOf('users', ada.id), disable, () => signIn());
      expect(statuses).toEqual([200, 401]);
    });
  });

  describe('a change of the password and a sign-out of the same session', () => {
    it('changes nothing, where the sign-out is first', async () => {
      const { statuses } = await race(
        rowOf('sign_ins', session.signInId),
        () => signOut(session),
        () => change(session),
      );
      expect(statuses).toEqual([204, 401]);
      expect((await signIn()).status).toBe(201);
      expect(await statusOf(token)).toBe(200);
    });

    it('leaves nobody signed in, where the sign-out is second', async () => {
      const { answers, statuses } = await race(
        rowOf('sign_ins', session.signInId),
        () => change(session),
        () => signOut(session),
      );
      expect(statuses).toEqual([200, 204]);
      expect(await statusOf(sessionFrom(answers[0]!))).toBe(401);
      expect((await signIn(NEW_PASSWORD)).status).toBe(201);
    });
  });

  describe('two reauthentications of one session', () => {
    it('are one, and its cookie works', async () => {
      const { answers, statuses } = await race(rowOf('users', ada.id), reauthenticate, reauthenticate);
      expect(statuses).toEqual([200, 401]);
      expect(await statusOf(sessionFrom(answers[0]!))).toBe(200);
    });
  });

  describe('two refreshes of one token', () => {
    it('have one successor', async () => {
      const { answers, statuses } = await race(rowOf('sign_ins', token.claims['sid']), refresh, refresh);
      expect(statuses).toEqual([200, 200]);
      expect(answers[0]!.body.refresh_token).toBe(answers[1]!.body.refresh_token);
      for (const { body } of answers) expect(await statusOf(bearer(body.access_token))).toBe(200);
      const family = 'SELECT used_at FROM refresh_tokens WHERE sign_in_id = $1 ORDER BY id';
      expect(await context.server.query(family, [token.claims['sid']])).toEqual([
        { used_at: expect.any(Date) },
        { used_at: null },
      ]);
    });
  });

  describe('a refresh and a sign-out', () => {
    it('is refused, where it is second', async () => {
      const { statuses } = await race(rowOf('sign_ins', token.claims['sid']), () => signOut(token), refresh);
      expect(statuses).toEqual([204, 401]);
    });

    it('is of no use, where it is first', async () => {
      const { answers, statuses } = await race(rowOf('sign_ins', token.claims['sid']), refresh, () =>
        signOut(token),
      );
      expect(statuses).toEqual([200, 204]);
      const { access_token: accessToken, refresh_token: refreshToken } = answers[0]!.body;
      expect(await statusOf(bearer(accessToken))).toBe(401);
      const again = await context.server.anonymous.post('/v1/tokens/refresh', { refreshToken });
      expect(again).toMatchObject({ status: 401, problem: 'invalid-refresh-token' });
    });
  });

  describe('a refresh and a change of the password by the same token', () => {
    it('is refused, where it is second', async () => {
      const { answers, statuses } = await race(
        rowOf('sign_ins', token.claims['sid']),
        () => change(token),
        refresh,
      );
      expect(statuses).toEqual([200, 401]);
      expect(await statusOf(bearer(answers[0]!.body.access_token))).toBe(200);
    });

    it('is of no use, where it is first', async () => {
      const { answers, statuses } = await race(rowOf('sign_ins', token.claims['sid']), refresh, () =>
        change(token),
      );
      expect(statuses).toEqual([200, 200]);
      expect(await statusOf(bearer(answers[0]!.body.access_token))).toBe(401);
      expect(await statusOf(bearer(answers[1]!.body.access_token))).toBe(200);
    });
  });

  describe('two administrators who depose each other', () => {
    it('leave one in office', async () => {
      const { server } = context;
      await server.query(`UPDATE users SET roles = '{}'`);
      const [one, other] = [await server.administrator(), await server.administrator()];
      const [first, second] = [await sessionOf(one), await sessionOf(other)];
      const { answers, statuses } = await race(
        rowOf('users', one.id),
        () => depose(first, other.id),
        () => depose(second, one.id),
      );
      expect(statuses).toEqual([200, 401]);
      expect(answers[1]!.problem).toBe('invalid-credential');
      expect([await statusOf(first), await statusOf(second)]).toEqual([200, 401]);
    });
  });

  describe('two administrators who resign', () => {
    it('leave one in office', async () => {
      const { server } = context;
      await server.query(`UPDATE users SET roles = '{}'`);
      const [one, other] = [await server.administrator(), await server.administrator()];
      const [first, second] = [await sessionOf(one), await sessionOf(other)];
      const { answers, statuses } = await race(
        rowOf('users', one.id),
        () => depose(first, one.id),
        () => depose(second, other.id),
      );
      expect(statuses).toEqual([200, 409]);
      expect(answers[1]!.problem).toBe('last-administrator');
      expect([await statusOf(first), await statusOf(second)]).toEqual([401, 200]);
    });
  });

  describe('a new key and the disabling of its owner', () => {
    it('is made and refused, where it is first', async () => {
      const { answers, statuses } = await race(rowOf('users', ada.id), createKey, disable);
      expect(statuses).toEqual([201, 200]);
      const { key } = answers[0]!.body;
      expect(await statusOf(context.server.anonymous.with({ 'X-API-Key': key }))).toBe(401);
    });

    it('is not made, where it is second', async () => {
      const { statuses } = await race(rowOf('users', ada.id), disable, createKey);
      expect(statuses).toEqual([200, 401]);
    });
  });

  describe('a new key and a change of the password', () => {
    it('is not made by a session that the change ended', async () => {
      const { statuses } = await race(rowOf('users', ada.id), () => change(token), createKey);
      expect(statuses).toEqual([200, 401]);
    });
  });

  describe('a key', () => {
    it('is deleted once', async () => {
      const { id } = await apiKeyOf(ada, ['probes:read']);
      const remove = () => session.delete(`/v1/api-keys/${id}`);
      const { statuses } = await race(rowOf('api_keys', id), remove, remove);
      expect(statuses).toEqual([204, 404]);
    });

    it('that is deleted cannot be narrowed', async () => {
      const { id } = await apiKeyOf(ada, ['probes:read', 'probes:write']);
      const { statuses } = await race(
        rowOf('api_keys', id),
        () => session.delete(`/v1/api-keys/${id}`),
        () => session.patch(`/v1/api-keys/${id}`, { scopes: ['probes:read'] }),
      );
      expect(statuses).toEqual([204, 404]);
    });

    it('is never widened by a change that was asked for before a narrower one', async () => {
      const { id } = await apiKeyOf(ada, ['probes:read', 'probes:write']);
      const narrow = (scopes: string[]) => () => session.patch(`/v1/api-keys/${id}`, { scopes });
      const { statuses } = await race(
        rowOf('api_keys', id),
        narrow(['probes:read']),
        narrow(['probes:read', 'probes:write']),
      );
      expect(statuses).toEqual([200, 400]);
      expect((await session.get(`/v1/api-keys/${id}`)).body.scopes).toEqual(['probes:read']);
    });
  });

  describe('two sessions that each end all others', () => {
    it('are one, and the first stays', async () => {
      const other = await sessionOf(ada);
      const { statuses } = await race(
        rowOf('users', ada.id),
        () => session.delete('/v1/sessions'),
        () => other.delete('/v1/sessions'),
      );
      expect(statuses).toEqual([204, 401]);
      expect([await statusOf(session), await statusOf(other), await statusOf(token)]).toEqual([
        200, 401, 401,
      ]);
    });
  });
});
