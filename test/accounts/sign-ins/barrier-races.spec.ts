import { beforeEach, describe, expect, it } from '@jest/globals';
import { atRow, meet, type Meeting } from '../../support/barrier.js';
import type { Answer, Client } from '../../support/client.js';
import { administer, signIn, signInIdOf, type SignInKind, signIns } from '../../support/modes/any.js';
import type { Person } from '../../support/person.js';
import { expectQuietLog } from '../../support/quiet-log.js';
import { PASSWORD, useServer } from '../../support/server.js';

const NEW_PASSWORD = 'a new password for the person';

describe('races at a barrier', () => {
  const context = useServer();
  expectQuietLog(context);
  let ada: Person;
  let client: Client;
  let other: Client;
  beforeEach(async () => {
    ada = await context.server.person();
    client = await signIn(ada);
    other = await signIns.at(-1)!.of(ada);
  });

  const statusOf = async (one: Client) => (await one.get('/v1/probes/principal')).status;
  const ask = (password = PASSWORD, email = ada.email, { path, fields } = signIns[0]!) =>
    context.server.anonymous.post(path, { email, password, ...fields });
  /** The client of an answer with new secrets. */
  const carried = (answer: Answer, { from }: SignInKind = signIns[0]!) =>
    from(context.server.url, context.server.secrets, { ...answer, status: 201 });
  const change = (by: Client, newPassword = NEW_PASSWORD) =>
    by.put('/v1/users/me/password', { currentPassword: PASSWORD, newPassword });
  // room: admin
  const disable = async () => {
    const admin = await administer(await context.server.administrator());
    return admin.put(`/v1/admin/users/${ada.id}/status`, { status: 'disabled' });
  };
  // /room
  const reauthenticate = () => client.post('/v1/sessions/current/reauthentication', { password: PASSWORD });
  const signOut = (one: Client) => one.delete('/v1/sessions/current');

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
      Promise.all(passwords.map(async (password) => (await ask(password, email)).status));

    it('makes one account, and mails two links', async () => {
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
    ])('lets the first confirmation decide (%i)', async (winner, works) => {
      const email = `both-${winner}@example.com`;
      for (const password of passwords) await register(email, password)();
      const tokens = await tokensTo(email);
      const [user] = await context.server.query('SELECT id FROM users WHERE email = $1', [email]);
      const confirm = (token: string) => () =>
        context.server.anonymous.put('/v1/email-verifications', { token });
      const { statuses } = await race(
        atRow('users', user.id),
        confirm(tokens[winner]!),
        confirm(tokens[1 - winner]!),
      );
      expect(statuses).toEqual([204, 400]);
      expect(await worksFor(email)).toEqual(works);
    });

    it('keeps no registration behind a confirmation at the same moment', async () => {
      const email = 'late@example.com';
      await register(email, passwords[0])();
      const [token] = await tokensTo(email);
      const [user] = await context.server.query('SELECT id FROM users WHERE email = $1', [email]);
      await race(
        atRow('users', user.id),
        () => context.server.anonymous.put('/v1/email-verifications', { token }),
        register(email, passwords[1]),
      );
      expect(await context.server.query('SELECT 1 FROM registrations WHERE user_id = $1', [user.id])).toEqual(
        [],
      );
      expect((await context.server.mails()).at(-1)).toContain('Registration with your email address');
    });
  });

  describe('two changes of one password', () => {
    it('refuses the second', async () => {
      const { answers, statuses } = await race(
        atRow('users', ada.id),
        () => change(client, 'the password of one'),
        () => change(other, 'the password of the other'),
      );
      expect(statuses).toEqual([200, 401]);
      expect(await statusOf(carried(answers[0]!))).toBe(200);
      expect(await statusOf(other)).toBe(401);
      const tried = [await ask('the password of one'), await ask('the password of the other')];
      expect(tried.map(({ status }) => status)).toEqual([201, 401]);
    });
  });

  describe('a change of the password that is rolled back', () => {
    it('leaves no log line about sign-ins that have not ended', async () => {
      const from = (await context.server.log()).length;
      const { statuses } = await race(atRow('users', ada.id), reauthenticate, () => change(client));
      expect(statuses).toEqual([200, 401]);
      const events = (await context.server.entries()).slice(from).map(({ event }) => event);
      expect(events).toContain('reauthentication.succeeded');
      expect(events).not.toContain('sign-in.all-ended');
      expect(await statusOf(other)).toBe(200);
    });
  });

  describe('a sign-in and a change of the password', () => {
    it('ends the sign-in with the others, if it is first', async () => {
      const { answers, statuses } = await race(
        atRow('users', ada.id),
        () => ask(),
        () => change(client),
      );
      expect(statuses).toEqual([201, 200]);
      expect(await statusOf(carried(answers[0]!))).toBe(401);
    });

    it('refuses the sign-in with the old password, if it is second', async () => {
      const { statuses } = await race(
        atRow('users', ada.id),
        () => change(client),
        () => ask(),
      );
      expect(statuses).toEqual([200, 401]);
    });
  });

  // room: admin
  describe('a sign-in and the disabling of the user', () => {
    it.each(signIns)('ends the sign-in by $mode, if it is first', async (kind) => {
      const { answers, statuses } = await race(
        atRow('users', ada.id),
        () => ask(PASSWORD, ada.email, kind),
        disable,
      );
      expect(statuses).toEqual([201, 200]);
      expect(await statusOf(carried(answers[0]!, kind))).toBe(401);
    });

    it('refuses the sign-in, if it is second', async () => {
      const { statuses } = await race(atRow('users', ada.id), disable, () => ask());
      expect(statuses).toEqual([200, 401]);
    });
  });
  // /room

  describe('a change of the password and a sign-out of the same session', () => {
    it('changes nothing, if the sign-out is first', async () => {
      const { statuses } = await race(
        atRow('sign_ins', await signInIdOf(client)),
        () => signOut(client),
        () => change(client),
      );
      expect(statuses).toEqual([204, 401]);
      expect((await ask()).status).toBe(201);
      expect(await statusOf(other)).toBe(200);
    });

    it('leaves nobody signed in, if the sign-out is second', async () => {
      const { answers, statuses } = await race(
        atRow('sign_ins', await signInIdOf(client)),
        () => change(client),
        () => signOut(client),
      );
      expect(statuses).toEqual([200, 204]);
      expect(await statusOf(carried(answers[0]!))).toBe(401);
      expect((await ask(NEW_PASSWORD)).status).toBe(201);
    });
  });

  describe('two reauthentications of one sign-in', () => {
    it('refuses the second, and the secrets of the first work', async () => {
      const { answers, statuses } = await race(atRow('users', ada.id), reauthenticate, reauthenticate);
      expect(statuses).toEqual([200, 401]);
      expect(await statusOf(carried(answers[0]!))).toBe(200);
    });
  });

  describe('two sign-ins that each end all others', () => {
    it('lets the first one do so', async () => {
      const third = await signIn(ada);
      const { statuses } = await race(
        atRow('users', ada.id),
        () => client.delete('/v1/sessions'),
        () => other.delete('/v1/sessions'),
      );
      expect(statuses).toEqual([204, 401]);
      expect([await statusOf(client), await statusOf(other), await statusOf(third)]).toEqual([200, 401, 401]);
    });
  });
});
