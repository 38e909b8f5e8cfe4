import { afterEach, describe, expect, it } from '@jest/globals';
import type { Answer, Client } from '../../support/client.js';
import { TokenClient } from '../../support/modes/jwt.js';
import { SessionClient, sessionOf } from '../../support/modes/session.js';
import { PASSWORD, useServer } from '../../support/server.js';

describe('races', () => {
  const context = useServer();
  const SIGN_IN = '/v1/sessions';

  const times = <T>(n: number, make: (i: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: n }, (_, i) => make(i)));
  const alive = async (client: Client) => (await client.get('/v1/probes/principal')).status === 200;

  /** How many answers there were of each status: `{ 201: 1, 401: 49 }`. */
  function statuses(answers: Answer[]): Record<number, number> {
    const counts: Record<number, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  /** The client of a sign-in by cookie or token. */
  const carried = (answer: Answer): Client =>
    (answer.body.csrfToken ? SessionClient : TokenClient).from(
      context.server.url,
      context.server.secrets,
      answer,
    );

  // What nobody expected is logged as an error: a deadlock, a violated constraint.
  let logged = 0;
  afterEach(async () => {
    const entries = await context.server.entries();
    const errors = entries.slice(logged).filter(({ level }) => level === 'error');
    logged = entries.length;
    expect(errors).toEqual([]);
  });

  describe('50 requests at once', () => {
    it('register one address: one account, at most 5 registrations besides, and the same answer to all', async () => {
      const { server } = context;
      const before = (await server.mails()).length;
      const email = 'one@example.com';
      const passwords = Array.from({ length: 50 }, (_, i) => `a password, the ${i}th of them`);
      const answers = await times(50, (i) =>
        server.anonymous.post('/v1/users', { email, password: passwords[i] }),
      );
      expect(statuses(answers)).toEqual({ 202: 50 });
      expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);

      const mails = (await server.mails()).slice(before);
      const confirming = mails.filter((mail) => mail.includes('Subject: Confirm your address'));
      expect([confirming.length, mails.length]).toEqual([6, 6]);
      expect(await server.query('SELECT 1 FROM users WHERE email = $1', [email])).toHaveLength(1);
      const signIns = await times(50, (i) =>
        server.anonymous.post(SIGN_IN, { email, password: passwords[i] }),
      );
      expect(statuses(signIns)).toEqual({ 201: 1, 401: 49 });
    });

    it('change one password once: what the winner set signs in', async () => {
      const { server } = context;
      const ada = await server.person();
      const session = await sessionOf(ada);
      const passwords = Array.from({ length: 10 }, (_, i) => `another password, the ${i}th`);
      const answers = await times(10, (i) =>
        session.put('/v1/users/me/password', { currentPassword: PASSWORD, newPassword: passwords[i] }),
      );
      expect(statuses(answers)).toEqual({ 200: 1, 401: 9 });
      const signIns = await times(10, (i) =>
        server.anonymous.post(SIGN_IN, { email: ada.email, password: passwords[i] }),
      );
      expect(signIns.findIndex(({ status }) => status === 201)).toBe(
        answers.findIndex(({ status }) => status === 200),
      );
      expect(statuses(signIns)).toEqual({ 201: 1, 401: 9 });
      expect(await server.anonymous.post(SIGN_IN, { email: ada.email, password: PASSWORD })).toMatchObject({
        status: 401,
      });
    });

    it('confirm one address once', async () => {
      const { server } = context;
      await server.anonymous.post('/v1/users', { email: 'two@example.com', password: PASSWORD });
      const token = await server.mailedToken('two@example.com');
      const answers = await times(50, () => server.anonymous.put('/v1/email-verifications', { token }));
      expect(statuses(answers)).toEqual({ 204: 1, 409: 49 });
    });

    it.each<[string, (session: SessionClient, other: SessionClient) => Promise<Answer>]>([
      ['signed out', (session) => session.delete('/v1/sessions/current')],
      ['revoked', (session, other) => other.delete(`/v1/sessions/${session.signInId}`)],
      ['revoked with all others', (_session, other) => other.delete('/v1/sessions')],
    ])('use a session while it is %s: none that is sent after that is let in', async (_what, end) => {
      const ada = await context.server.person();
      const [session, other] = [await sessionOf(ada), await sessionOf(ada)];
      const using = times(50, () => session.get('/v1/users/me'));
      expect((await end(session, other)).status).toBe(204);
      expect(statuses(await times(50, () => session.get('/v1/users/me')))).toEqual({ 401: 50 });
      for (const { status } of await using) expect([200, 401]).toContain(status);
    });

    it('end one session of several once', async () => {
      const ada = await context.server.person();
      const [session, other] = [await sessionOf(ada), await sessionOf(ada)];
      const answers = await times(50, () => session.delete(`/v1/sessions/${other.signInId}`));
      expect(statuses(answers)).toEqual({ 204: 1, 404: 49 });
      expect(await alive(other)).toBe(false);
    });

    it('end all others of a person from many sessions: one of them stays', async () => {
      const ada = await context.server.person();
      const sessions = await times(20, () => sessionOf(ada));
      const answers = await Promise.all(sessions.map((session) => session.delete('/v1/sessions')));
      expect(statuses(answers)).toEqual({ 204: 1, 401: 19 });
      const left = await Promise.all(sessions.map(alive));
      expect(left.indexOf(true)).toBe(answers.findIndex(({ status }) => status === 204));
      expect(left.filter(Boolean)).toHaveLength(1);
    });

    it('do not mix up people', async () => {
      const { server } = context;
      const people = await times(10, async () => sessionOf(await server.person()));
      const answers = await times(50, async (i) => {
        const session = people[i % 10]!;
        return (await session.get('/v1/probes/principal')).body.credentialId === session.signInId;
      });
      expect(answers.every(Boolean)).toBe(true);
    });
  });

  describe('two administrators who depose each other', () => {
    it.each([
      ['their roles', 'roles', { roles: [] }],
      ['their status', 'status', { status: 'disabled' }],
    ])('leave one in office: %s', async (_what, path, body) => {
      const { server } = context;
      await server.query(`UPDATE users SET roles = '{}'`);
      const admins = [await server.administrator(), await server.administrator()];
      const sessions = [await sessionOf(admins[0]!), await sessionOf(admins[1]!)];
      const answers = await times(2, (i) =>
        sessions[i]!.put(`/v1/admin/users/${admins[1 - i]!.id}/${path}`, body),
      );
      expect(statuses(answers)[200]).toBe(1);
      // 409 where they met; 401 where the loser was out of office before it was asked.
      expect([401, 409]).toContain(answers.find(({ status }) => status !== 200)!.status);
      const [{ n }] = await server.query(
        `SELECT count(*)::int AS n FROM users WHERE 'admin' = ANY(roles) AND status = 'active'`,
      );
      expect(n).toBe(1);
    });
  });

  describe('a person who signs in 20 times at once', () => {
    it('has none of these sign-ins once an administrator has disabled the account', async () => {
      const { server } = context;
      const admin = await sessionOf(await server.administrator());
      const ada = await server.person();
      const body = { email: ada.email, password: PASSWORD };
      const signIns = times(20, (i) => server.anonymous.post(i % 2 === 0 ? SIGN_IN : '/v1/tokens', body));
      const disabled = await admin.put(`/v1/admin/users/${ada.id}/status`, { status: 'disabled' });
      expect(disabled.status).toBe(200);
      for (const answer of await signIns) {
        expect([201, 401]).toContain(answer.status);
        if (answer.status === 201) expect(await alive(carried(answer))).toBe(false);
      }
      const left = 'SELECT id FROM sign_ins WHERE user_id = $1 AND ended_at IS NULL';
      expect(await server.query(left, [ada.id])).toEqual([]);
    });

    it('never has more than 100 sign-ins alive', async () => {
      const { server } = context;
      const ada = await server.person();
      const first = await sessionOf(ada);
      await server.query(
        `INSERT INTO sign_ins SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(),
         'last_seen_at', s.last_seen_at - interval '1 minute'))).*
       FROM sign_ins s, generate_series(1, 94) WHERE s.id = $1`,
        [first.signInId],
      );
      const answers = await times(20, () =>
        server.anonymous.post(SIGN_IN, { email: ada.email, password: PASSWORD }),
      );
      expect(statuses(answers)).toEqual({ 201: 20 });
      const [{ n }] = await server.query(
        'SELECT count(*)::int AS n FROM sign_ins WHERE user_id = $1 AND ended_at IS NULL',
        [ada.id],
      );
      expect(n).toBe(100);
      expect(await Promise.all([first, ...answers.map(carried)].map(alive))).toEqual(Array(21).fill(true));
    });
  });
});
