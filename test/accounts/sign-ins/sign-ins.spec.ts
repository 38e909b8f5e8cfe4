import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { Client } from '../../support/client.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { TestServer, useServer } from '../../support/server.js';

const INVALID = { status: 401, problem: 'invalid-credential' };
const NOT_FOUND = { status: 404, problem: 'not-found' };
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

describe('sign-ins', () => {
  const context = useServer();
  let ada: Person;
  beforeEach(async () => {
    ada = await context.server.person();
  });

  const signInWith = (userAgent: string) =>
    context.server.anonymous
      .with({ 'User-Agent': userAgent })
      .post('/v1/sessions', { email: ada.email, password: ada.password });
  const alive = async (client: Client) => (await client.get('/v1/probes/principal')).status === 200;
  const idsOf = async (client: Client, query = '') =>
    (await client.get(`/v1/sessions${query}`)).body.items.map(({ id }: { id: string }) => id);

  describe('GET /v1/sessions', () => {
    it('lists the sign-ins of the person by cookie and token, newest first', async () => {
      const session = await sessionOf(ada);
      const token = await jwtOf(ada);
      await sessionOf(await context.server.person());
      const { status, body } = await session.get('/v1/sessions');
      expect(status).toBe(200);
      expect(body).toEqual({
        items: [
          expect.objectContaining({ id: token.claims['sid'], carrier: 'token', current: false }),
          expect.objectContaining({ id: session.signInId, carrier: 'cookie', current: true }),
        ],
        nextCursor: null,
      });
      expect(await idsOf(token)).toEqual([token.claims['sid'], session.signInId]);
      expect((await token.get('/v1/sessions')).body.items[0].current).toBe(true);
    });

    it('shows where each is from, and no secret', async () => {
      const { body } = await signInWith(FIREFOX);
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(body.session).toEqual({
        id: expect.any(String),
        carrier: 'cookie',
        createdAt: time,
        lastSeenAt: time,
        expiresAt: time,
        ip: '127.0.0.1',
        userAgent: FIREFOX,
        device: 'Firefox on Linux',
        current: true,
      });
    });

    it('shows no device where the client names none that is known, and cuts what is long', async () => {
      expect((await signInWith('x')).body.session).toMatchObject({ userAgent: 'x', device: null });
      expect((await signInWith('x'.repeat(2000))).body.session.userAgent).toHaveLength(512);
    });

    it('pages', async () => {
      const sessions = [];
      for (let i = 0; i < 3; i += 1) sessions.push((await sessionOf(ada)).signInId);
      const session = await sessionOf(ada);
      const newestFirst = [session.signInId, ...sessions.toReversed()];
      const first = (await session.get('/v1/sessions?limit=3')).body;
      expect(first.items.map(({ id }: { id: string }) => id)).toEqual(newestFirst.slice(0, 3));
      const second = (await session.get(`/v1/sessions?limit=3&cursor=${first.nextCursor}`)).body;
      expect(second.items.map(({ id }: { id: string }) => id)).toEqual(newestFirst.slice(3));
      expect(second.nextCursor).toBeNull();
      expect((await session.get('/v1/sessions?limit=4')).body.nextCursor).toBeNull();
    });

    it.each([
      ['limit=0', '/limit'],
      ['limit=101', '/limit'],
      ['limit=x', '/limit'],
      ['limit=1.5', '/limit'],
      ['limit=1&limit=2', '/limit'],
      ['cursor=', '/cursor'],
      ['cursor=x', '/cursor'],
      ['cursor=JyBPUiAxPTE', '/cursor'],
      ['page=2', '/page'],
    ])('refuses ?%s', async (query, pointer) => {
      const answer = await (await sessionOf(ada)).get(`/v1/sessions?${query}`);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer }]);
    });

    it('lists none that has ended or expired', async () => {
      const { server } = context;
      const [ended, expired, idle] = [await sessionOf(ada), await sessionOf(ada), await sessionOf(ada)];
      await ended.delete('/v1/sessions/current');
      const now = await server.clock.now();
      await server.query('UPDATE sign_ins SET expires_at = $2 WHERE id = $1', [expired.signInId, now]);
      await server.query('UPDATE sign_ins SET idle_expires_at = $2 WHERE id = $1', [idle.signInId, now]);
      const session = await sessionOf(ada);
      expect(await idsOf(session)).toEqual([session.signInId]);
    });

    it('needs sessions:read', async () => {
      const token = await jwtOf(ada, { scope: 'sessions:write' });
      expect(await token.get('/v1/sessions')).toMatchObject({ status: 403, problem: 'insufficient-scope' });
    });
  });

  describe('GET /v1/sessions/current', () => {
    it('is the sign-in behind the request, without any scope', async () => {
      const session = await sessionOf(ada);
      const token = await jwtOf(ada, { scope: 'probes:read' });
      expect((await session.get('/v1/sessions/current')).body).toMatchObject({
        id: session.signInId,
        carrier: 'cookie',
        current: true,
      });
      expect((await token.get('/v1/sessions/current')).body).toMatchObject({
        id: token.claims['sid'],
        carrier: 'token',
        current: true,
      });
    });

    it('is not for keys', async () => {
      const key = await apiKeyOf(ada, ['sessions:read']);
      expect(await key.get('/v1/sessions/current')).toMatchObject({
        status: 401,
        problem: 'mode-not-accepted',
      });
    });
  });

  describe('DELETE /v1/sessions/current', () => {
    it('signs out: the cookie is cleared and the session refused at once', async () => {
      const session = await sessionOf(ada);
      const answer = await session.delete('/v1/sessions/current');
      expect(answer.status).toBe(204);
      expect(answer.headers.get('clear-site-data')).toBe('"cache", "storage"');
      const cleared = answer.headers.getSetCookie().toSorted();
      const over = 'Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure';
      expect(cleared).toEqual([
        `__Host-refresh=; Max-Age=0; Path=/; ${over}; SameSite=Strict`,
        `__Host-session=; Max-Age=0; Path=/; ${over}; SameSite=Lax`,
      ]);
      expect(await session.get('/v1/probes/principal')).toMatchObject(INVALID);
      expect(await session.delete('/v1/sessions/current')).toMatchObject(INVALID);
    });

    it('ends a token pair, whatever its scopes', async () => {
      const token = await jwtOf(ada, { scope: 'probes:read' });
      expect((await token.delete('/v1/sessions/current')).status).toBe(204);
      expect(await token.get('/v1/probes/principal')).toMatchObject(INVALID);
      const refresh = { refreshToken: token.refreshToken };
      expect(await context.server.anonymous.post('/v1/tokens/refresh', refresh)).toMatchObject({
        status: 401,
      });
    });

    it('leaves the other sign-ins alone', async () => {
      const [session, other, token] = [await sessionOf(ada), await sessionOf(ada), await jwtOf(ada)];
      await session.delete('/v1/sessions/current');
      expect([await alive(other), await alive(token)]).toEqual([true, true]);
    });
  });

  describe('DELETE /v1/sessions/:id', () => {
    it('ends another sign-in of the person, by cookie or token', async () => {
      const [session, other, token] = [await sessionOf(ada), await sessionOf(ada), await jwtOf(ada)];
      for (const id of [other.signInId, token.claims['sid']]) {
        const answer = await session.delete(`/v1/sessions/${id}`);
        expect(answer).toMatchObject({ status: 204, cookieNames: [] });
        expect(answer.headers.get('clear-site-data')).toBeNull();
      }
      expect([await alive(session), await alive(other), await alive(token)]).toEqual([true, false, false]);
    });

    it('clears the cookies where it is the current one', async () => {
      const session = await sessionOf(ada);
      const answer = await session.delete(`/v1/sessions/${session.signInId}`);
      expect(answer).toMatchObject({ status: 204, cookies: { '__Host-session': '' } });
      expect(answer.headers.get('clear-site-data')).toBe('"cache", "storage"');
      expect(await alive(session)).toBe(false);
    });

    it("refuses another user's session like one that does not exist", async () => {
      const session = await sessionOf(ada);
      const other = await sessionOf(await context.server.person());
      const answers = [];
      for (const id of [other.signInId, uuidv7()]) {
        const answer = await session.delete(`/v1/sessions/${id}`);
        expect(answer).toMatchObject(NOT_FOUND);
        answers.push({ ...answer.body, instance: 'any' });
      }
      expect(answers[0]).toEqual(answers[1]);
      expect(await alive(other)).toBe(true);
    });

    it('refuses one that has ended, and what is no id', async () => {
      const [session, ended] = [await sessionOf(ada), await sessionOf(ada)];
      await session.delete(`/v1/sessions/${ended.signInId}`);
      expect(await session.delete(`/v1/sessions/${ended.signInId}`)).toMatchObject(NOT_FOUND);
      expect(await session.delete('/v1/sessions/x')).toMatchObject({
        status: 400,
        problem: 'validation-failed',
      });
    });

    it('needs sessions:write', async () => {
      const token = await jwtOf(ada, { scope: 'sessions:read' });
      const refused = { status: 403, problem: 'insufficient-scope' };
      expect(await token.delete(`/v1/sessions/${token.claims['sid']}`)).toMatchObject(refused);
      expect(await token.delete('/v1/sessions')).toMatchObject(refused);
    });
  });

  describe('DELETE /v1/sessions', () => {
    it('ends all sign-ins of the person but the current one', async () => {
      const other = await sessionOf(await context.server.person());
      const [session, one, token] = [await sessionOf(ada), await sessionOf(ada), await jwtOf(ada)];
      const answer = await session.delete('/v1/sessions');
      expect(answer).toMatchObject({ status: 204, cookieNames: [] });
      expect([await alive(session), await alive(one), await alive(token)]).toEqual([true, false, false]);
      expect(await alive(other)).toBe(true);
      expect(await idsOf(session)).toEqual([session.signInId]);
    });
  });

  describe('the number of sign-ins of a person', () => {
    it('is 100: the next one ends the one that was unused for longest', async () => {
      const { server } = context;
      const [oldest, unused] = [await sessionOf(ada), await jwtOf(ada)];
      const copy = (id: string, n: number) =>
        server.query(
          `INSERT INTO sign_ins SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid()))).*
         FROM sign_ins s, generate_series(1, $2) WHERE s.id = $1`,
          [id, n],
        );
      await server.query(
        `UPDATE sign_ins SET last_seen_at = last_seen_at - interval '1 hour' WHERE id = $1`,
        [unused.claims['sid']],
      );
      await copy(oldest.signInId, 97);
      const hundredth = await sessionOf(ada);
      expect([await alive(oldest), await alive(unused), await alive(hundredth)]).toEqual([true, true, true]);
      const next = await sessionOf(ada);
      expect([await alive(oldest), await alive(unused), await alive(next)]).toEqual([true, false, true]);
      const [{ n }] = await server.query(
        'SELECT count(*)::int AS n FROM sign_ins WHERE user_id = $1 AND ended_at IS NULL',
        [ada.id],
      );
      expect(n).toBe(100);
    });
  });

  describe('the lifetime of a sign-in', () => {
    const BATCH_MS = 5_000;
    let server: TestServer;
    let person: Person;
    beforeAll(async () => {
      // Only intervals stand still: when sign-ins were last seen is written when the test says so.
      jest.useFakeTimers({
        doNotFake: [
          'Date',
          'hrtime',
          'nextTick',
          'performance',
          'queueMicrotask',
          'setImmediate',
          'clearImmediate',
          'setTimeout',
          'clearTimeout',
        ],
      });
      server = await TestServer.start();
      person = await server.person();
    });
    beforeEach(() => server.clock.reset());
    afterAll(async () => {
      await server?.stop();
      jest.useRealTimers();
    });

    const row = async ({ signInId }: SessionClient) =>
      (await server.query('SELECT * FROM sign_ins WHERE id = $1', [signInId]))[0];

    /** Uses the session, and lets the batch be written. */
    async function use(session: SessionClient): Promise<number> {
      const at = await server.clock.now();
      const { status } = await session.get('/v1/probes/principal');
      jest.advanceTimersByTime(BATCH_MS);
      if (status === 200)
        while ((await row(session)).last_seen_at < at) await new Promise((resolve) => setTimeout(resolve, 5));
      return status;
    }

    it('ends where it is unused for SESSION_IDLE_TTL', async () => {
      const session = await sessionOf(person);
      await server.clock.advance('1439m');
      expect((await session.get('/v1/sessions/current/csrf-token')).status).toBe(200);
      const unused = await sessionOf(person);
      await server.clock.advance('24h');
      expect(await unused.get('/v1/probes/principal')).toMatchObject(INVALID);
    });

    it('goes on while it is used, up to SESSION_TTL', async () => {
      const session = await sessionOf(person);
      const { expiresAt } = (await session.get('/v1/sessions/current')).body;
      for (let day = 1; day <= 7; day += 1) {
        await server.clock.advance('23h');
        expect(await use(session)).toBe(200);
      }
      expect((await session.get('/v1/sessions/current')).body).toMatchObject({ expiresAt });
      expect((await row(session)).idle_expires_at).toEqual(new Date(expiresAt));
      await server.clock.advance('7h');
      expect(await use(session)).toBe(401);
    });

    it('ends after SESSION_TTL, whatever the idle expiry says', async () => {
      const session = await sessionOf(person);
      await server.query(
        `UPDATE sign_ins SET idle_expires_at = expires_at + interval '1 year' WHERE id = $1`,
        [session.signInId],
      );
      await server.clock.advance('7d');
      expect(await session.get('/v1/probes/principal')).toMatchObject(INVALID);
    });

    it('is not written at each request, but in batches', async () => {
      const session = await sessionOf(person);
      const before = await row(session);
      await server.clock.advance('1h');
      for (let i = 0; i < 3; i += 1) await session.get('/v1/probes/principal');
      expect(await row(session)).toEqual(before);
      expect(await use(session)).toBe(200);
      expect((await row(session)).last_seen_at - before.last_seen_at).toBeGreaterThanOrEqual(3_600_000);
    });

    it('does not begin again where a request was seen before the sign-out, and is written after it', async () => {
      const session = await sessionOf(person);
      await server.clock.advance('1h');
      await session.get('/v1/probes/principal');
      await session.delete('/v1/sessions/current');
      const ended = await row(session);
      const other = await sessionOf(person);
      await server.clock.advance('1h');
      // The batch holds both; that the other one is there says that it was written.
      expect(await use(other)).toBe(200);
      expect(await row(session)).toEqual(ended);
      expect(await session.get('/v1/probes/principal')).toMatchObject(INVALID);
    });

    it('is written at shutdown', async () => {
      const database = { url: server.config.DATABASE_URL!, drop: async () => undefined };
      const second = await TestServer.start({ database });
      const session = await sessionOf(person);
      const before = await row(session);
      const elsewhere = new Client(second.url, second.secrets, session.headers);
      await second.clock.advance('1h');
      expect((await elsewhere.get('/v1/probes/principal')).status).toBe(200);
      expect(await row(session)).toEqual(before);
      await second.stop();
      expect((await row(session)).last_seen_at - before.last_seen_at).toBeGreaterThanOrEqual(3_600_000);
    });
  });
});
