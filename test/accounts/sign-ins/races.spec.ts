import { describe, expect, it } from '@jest/globals';
import type { Answer, Client } from '../../support/client.js';
import { administer, signIn, signInIdOf, signIns } from '../../support/modes/any.js';
import type { Person } from '../../support/person.js';
import { expectQuietLog } from '../../support/quiet-log.js';
import { PASSWORD, TestServer, useServer, useStarted } from '../../support/server.js';

describe('requests of many people or clients at once', () => {
  // More sign-ins of one person at once than the limits allow.
  const context = useServer({ env: { RATE_LIMITS: 'off' } });

  const times = <T>(n: number, make: (i: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: n }, (_, i) => make(i)));
  const alive = async (client: Client) => (await client.get('/v1/probes/principal')).status === 200;

  /** How many answers there were of each status: `{ 201: 1, 401: 49 }`. */
  function statuses(answers: Answer[]): Record<number, number> {
    const counts: Record<number, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  /** A request to sign in. */
  const ask = (
    { email, password = PASSWORD }: Pick<Person, 'email'> & { password?: string | undefined },
    { path, fields } = signIns[0]!,
  ) => context.server.anonymous.post(path, { email, password, ...fields });
  /** The client of its answer. */
  const carried = (answer: Answer, { from } = signIns[0]!): Client =>
    from(context.server.url, context.server.secrets, answer);

  expectQuietLog(context);

  describe('50 at once', () => {
    // Another node, with the limits of mails.
    const limited = useStarted(() =>
      TestServer.start({ database: { url: context.server.config.DATABASE_URL! } }),
    );

    it('keeps one account and 5 more registrations of one address, and gives all the same answer', async () => {
      const { server } = limited;
      const before = (await server.mails()).length;
      const email = 'one@example.com';
      const passwords = Array.from({ length: 50 }, (_, i) => `a password, the ${i}th of them`);
      const answers = await times(50, (i) =>
        server.anonymous.post('/v1/users', { email, password: passwords[i] }),
      );
      expect(statuses(answers)).toEqual({ 202: 50 });
      expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);

      const mails = (await server.mails()).slice(before);
      const confirming = mails.filter((mail) => mail.includes('Subject: Confirm your email address'));
      expect([confirming.length, mails.length]).toEqual([6, 6]);
      expect(await server.query('SELECT 1 FROM users WHERE email = $1', [email])).toHaveLength(1);
      const tried = await times(50, (i) => ask({ email, password: passwords[i] }));
      expect(statuses(tried)).toEqual({ 201: 1, 401: 49 });
    });

    it('changes a password once, to the one that then signs in', async () => {
      const ada = await context.server.person();
      const session = await signIn(ada);
      const passwords = Array.from({ length: 10 }, (_, i) => `another password, the ${i}th`);
      const answers = await times(10, (i) =>
        session.put('/v1/users/me/password', { currentPassword: PASSWORD, newPassword: passwords[i] }),
      );
      expect(statuses(answers)).toEqual({ 200: 1, 401: 9 });
      const tried = await times(10, (i) => ask({ email: ada.email, password: passwords[i] }));
      expect(tried.findIndex(({ status }) => status === 201)).toBe(
        answers.findIndex(({ status }) => status === 200),
      );
      expect(statuses(tried)).toEqual({ 201: 1, 401: 9 });
      expect(await ask(ada)).toMatchObject({ status: 401 });
    });

    it('confirms an address once', async () => {
      const { server } = context;
      await server.anonymous.post('/v1/users', { email: 'two@example.com', password: PASSWORD });
      const token = await server.mailedToken('two@example.com');
      const answers = await times(50, () => server.anonymous.put('/v1/email-verifications', { token }));
      expect(statuses(answers)).toEqual({ 204: 1, 409: 49 });
    });

    it.each<[string, (client: Client, other: Client) => Promise<Answer>]>([
      ['signed out', (client) => client.delete('/v1/sessions/current')],
      ['revoked', async (client, other) => other.delete(`/v1/sessions/${await signInIdOf(client)}`)],
      ['revoked with all others', (_client, other) => other.delete('/v1/sessions')],
    ])('refuses every request that is sent after its sign-in was %s', async (_what, end) => {
      const ada = await context.server.person();
      const [session, other] = [await signIn(ada), await signIn(ada)];
      const using = times(50, () => session.get('/v1/users/me'));
      expect((await end(session, other)).status).toBe(204);
      expect(statuses(await times(50, () => session.get('/v1/users/me')))).toEqual({ 401: 50 });
      for (const { status } of await using) expect([200, 401]).toContain(status);
    });

    it('ends one sign-in once', async () => {
      const ada = await context.server.person();
      const [session, other] = [await signIn(ada), await signIn(ada)];
      const id = await signInIdOf(other);
      const answers = await times(50, () => session.delete(`/v1/sessions/${id}`));
      expect(statuses(answers)).toEqual({ 204: 1, 404: 49 });
      expect(await alive(other)).toBe(false);
    });

    it('keeps one sign-in if each of many ends all others', async () => {
      const ada = await context.server.person();
      const sessions = await times(20, () => signIn(ada));
      const answers = await Promise.all(sessions.map((session) => session.delete('/v1/sessions')));
      expect(statuses(answers)).toEqual({ 204: 1, 401: 19 });
      const left = await Promise.all(sessions.map(alive));
      expect(left.indexOf(true)).toBe(answers.findIndex(({ status }) => status === 204));
      expect(left.filter(Boolean)).toHaveLength(1);
    });

    it('never mixes up people', async () => {
      const { server } = context;
      const people = await times(10, () => server.person());
      const clients = await Promise.all(people.map(signIn));
      const answers = await times(50, (i) => clients[i % 10]!.get('/v1/probes/principal'));
      expect(answers.map(({ body }) => body.subject)).toEqual(answers.map((_, i) => people[i % 10]!.id));
    });
  });

  describe('a person who signs in 20 times at once', () => {
    // room: admin
    it('has none of these sign-ins once an administrator has disabled the account', async () => {
      const { server } = context;
      const admin = await administer(await server.administrator());
      const ada = await server.person();
      const kindOf = (i: number) => signIns[i % signIns.length]!;
      const asked = times(20, (i) => ask(ada, kindOf(i)));
      const disabled = await admin.put(`/v1/admin/users/${ada.id}/status`, { status: 'disabled' });
      expect(disabled.status).toBe(200);
      for (const [i, answer] of (await asked).entries()) {
        expect([201, 401]).toContain(answer.status);
        if (answer.status === 201) expect(await alive(carried(answer, kindOf(i)))).toBe(false);
      }
      const left = 'SELECT id FROM sign_ins WHERE user_id = $1 AND ended_at IS NULL';
      expect(await server.query(left, [ada.id])).toEqual([]);
    });
    // /room

    it('never has more than 100 sign-ins alive', async () => {
      const { server } = context;
      const ada = await server.person();
      const first = await signIn(ada);
      await server.query(
        `INSERT INTO sign_ins SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(),
         'last_seen_at', s.last_seen_at - interval '1 minute'))).*
       FROM sign_ins s, generate_series(1, 94) WHERE s.id = $1`,
        [await signInIdOf(first)],
      );
      const answers = await times(20, () => ask(ada));
      expect(statuses(answers)).toEqual({ 201: 20 });
      const [{ n }] = await server.query(
        'SELECT count(*)::int AS n FROM sign_ins WHERE user_id = $1 AND ended_at IS NULL',
        [ada.id],
      );
      expect(n).toBe(100);
      expect(await Promise.all([first, ...answers.map((answer) => carried(answer))].map(alive))).toEqual(
        Array(21).fill(true),
      );
    });
  });
});
