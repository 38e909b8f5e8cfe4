import { beforeEach, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Client } from '../../support/client.js';
import {
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
import type { Person } from '../../support/person.js';
import { useServer } from '../../support/server.js';

const INVALID = { status: 401, problem: 'invalid-credential' };
const NOT_FOUND = { status: 404, problem: 'not-found' };
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const EXPIRED = 'Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure';
/** How each mode clears its cookie. */
const CLEARED = [
  // room: tokens
  `__Host-refresh=; ${EXPIRED}; SameSite=Strict`,
  // /room
  // room: sessions
  `__Host-session=; ${EXPIRED}; SameSite=Lax`,
  // /room
];

describe('sign-ins', () => {
  const context = useServer();
  let ada: Person;
  beforeEach(async () => {
    ada = await context.server.person();
  });

  const alive = async (client: Client) => (await client.get('/v1/probes/principal')).status === 200;
  const idsOf = async (client: Client, query = '') =>
    (await client.get(`/v1/sessions${query}`)).body.items.map(({ id }: { id: string }) => id);
  /** One client for each mode, and a second one of the first. */
  const signInByAll = () => Promise.all([...signIns, signIns[0]!].map(({ of }) => of(ada)));
  const end = async (client: Client, id: string) => client.delete(`/v1/sessions/${id}`);
  const endIn = (column: string, id: string, at: Date) =>
    context.server.query(`UPDATE sign_ins SET ${column} = $2 WHERE id = $1`, [id, at]);

  describe('GET /v1/sessions', () => {
    it('lists the sign-ins of a person by all modes, newest first', async () => {
      const clients = [];
      for (const { carrier, of } of signIns) clients.unshift({ carrier, client: await of(ada) });
      await signIn(await context.server.person());
      const ids = await Promise.all(clients.map(({ client }) => signInIdOf(client)));
      for (const [own, { client }] of clients.entries()) {
        const { status, body } = await client.get('/v1/sessions');
        expect(status).toBe(200);
        expect(body).toEqual({
          items: clients.map(({ carrier }, i) =>
            expect.objectContaining({ id: ids[i], carrier, current: i === own }),
          ),
          nextCursor: null,
        });
      }
    });

    it.each(signIns)('shows where a sign-in by $mode is from, and no secret', async (kind) => {
      const { carrier } = kind;
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(await signedInWith(FIREFOX, kind)).toEqual({
        id: expect.any(String),
        carrier,
        createdAt: time,
        lastSeenAt: time,
        expiresAt: time,
        ip: '127.0.0.1',
        userAgent: FIREFOX,
        device: 'Firefox on Linux',
        current: true,
      });
    });

    it('shows no device for an unknown client, and cuts a long User-Agent', async () => {
      expect(await signedInWith('x')).toMatchObject({ userAgent: 'x', device: null });
      expect((await signedInWith('x'.repeat(2000))).userAgent).toHaveLength(512);
    });

    /** The sign-in of a client that names itself so. */
    async function signedInWith(userAgent: string, { path, fields, from } = signIns[0]!) {
      const { anonymous, url, secrets } = context.server;
      const { email, password } = ada;
      const client = anonymous.with({ 'User-Agent': userAgent });
      const answer = await client.post(path, { email, password, ...fields });
      return (await from(url, secrets, answer).get('/v1/sessions/current')).body;
    }

    it('pages', async () => {
      const ids: string[] = [];
      for (let i = 0; i < 3; i += 1) ids.unshift(await signInIdOf(await signIn(ada)));
      const client = await signIn(ada);
      const newestFirst = [await signInIdOf(client), ...ids];
      const first = (await client.get('/v1/sessions?limit=3')).body;
      expect(first.items.map(({ id }: { id: string }) => id)).toEqual(newestFirst.slice(0, 3));
      const second = (await client.get(`/v1/sessions?limit=3&cursor=${first.nextCursor}`)).body;
      expect(second.items.map(({ id }: { id: string }) => id)).toEqual(newestFirst.slice(3));
      expect(second.nextCursor).toBeNull();
      expect((await client.get('/v1/sessions?limit=4')).body.nextCursor).toBeNull();
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
      const answer = await (await signIn(ada)).get(`/v1/sessions?${query}`);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer }]);
    });

    it('lists no sign-in that has ended or expired', async () => {
      const { server } = context;
      const [ended, expired, idle] = [await signIn(ada), await signIn(ada), await signIn(ada)];
      const now = await server.clock.now();
      await endIn('expires_at', await signInIdOf(expired), now);
      await endIn('idle_expires_at', await signInIdOf(idle), now);
      await ended.delete('/v1/sessions/current');
      const client = await signIn(ada);
      expect(await idsOf(client)).toEqual([await signInIdOf(client)]);
    });

    // room: tokens
    it.each(tokens)('refuses a $mode without the scope sessions:read', async ({ of }) => {
      const token = await of(ada, { scope: 'sessions:write' });
      expect(await token.get('/v1/sessions')).toMatchObject({ status: 403, problem: 'insufficient-scope' });
    });
    // /room
  });

  describe('GET /v1/sessions/current', () => {
    it.each(signIns)('shows the sign-in behind a $mode', async ({ carrier, of }) => {
      const client = await of(ada);
      const [{ id }] = await context.server.query('SELECT id FROM sign_ins WHERE user_id = $1', [ada.id]);
      expect((await client.get('/v1/sessions/current')).body).toMatchObject({ id, carrier, current: true });
    });

    // room: tokens
    it.each(tokens)('needs no scope of a $mode', async ({ of }) => {
      const token = await of(ada, { scope: 'probes:read' });
      expect((await token.get('/v1/sessions/current')).status).toBe(200);
    });
    // /room

    // room: own-api-keys
    it('refuses keys', async () => {
      const key = await apiKeyOf(ada, ['sessions:read']);
      expect(await key.get('/v1/sessions/current')).toMatchObject({
        status: 401,
        problem: 'mode-not-accepted',
      });
    });
    // /room
  });

  describe('DELETE /v1/sessions/current', () => {
    it.each(signIns)('[V7.4.1] ends a sign-in by $mode at once, and clears all cookies', async ({ of }) => {
      const client = await of(ada);
      const answer = await client.delete('/v1/sessions/current');
      expect(answer.status).toBe(204);
      expect(answer.headers.get('clear-site-data')).toBe('"storage"');
      expect(answer.headers.getSetCookie().toSorted()).toEqual(CLEARED);
      expect(await client.get('/v1/probes/principal')).toMatchObject(INVALID);
      expect(await client.delete('/v1/sessions/current')).toMatchObject(INVALID);
    });

    // room: tokens
    it.each(tokens)('ends the pair of a $mode, whatever its scopes', async ({ of }) => {
      const token = await of(ada, { scope: 'probes:read' });
      expect((await token.delete('/v1/sessions/current')).status).toBe(204);
      expect(await token.get('/v1/probes/principal')).toMatchObject(INVALID);
      const { refreshToken } = token;
      expect(await context.server.anonymous.post('/v1/tokens/refresh', { refreshToken })).toMatchObject({
        status: 401,
      });
    });
    // /room

    it('leaves the other sign-ins alone', async () => {
      const [client, ...others] = await signInByAll();
      await client!.delete('/v1/sessions/current');
      for (const other of others) expect(await alive(other)).toBe(true);
    });
  });

  describe('DELETE /v1/sessions/:id', () => {
    it('[V6.5.6] ends other sign-ins of the person, by any mode', async () => {
      const [client, ...others] = await signInByAll();
      for (const other of others) {
        const answer = await end(client!, await signInIdOf(other));
        expect(answer).toMatchObject({ status: 204, cookieNames: [] });
        expect(answer.headers.get('clear-site-data')).toBeNull();
        expect(await alive(other)).toBe(false);
      }
      expect(await alive(client!)).toBe(true);
    });

    it.each(signIns)('clears the cookies if it ends the current sign-in by $mode', async ({ of }) => {
      const client = await of(ada);
      const answer = await end(client, await signInIdOf(client));
      expect(answer.status).toBe(204);
      expect(answer.headers.getSetCookie().toSorted()).toEqual(CLEARED);
      expect(answer.headers.get('clear-site-data')).toBe('"storage"');
      expect(await alive(client)).toBe(false);
    });

    it('[V8.4.1] answers for a sign-in of another user as for one that does not exist', async () => {
      const client = await signIn(ada);
      const other = await signIn(await context.server.person());
      const answers = [];
      for (const id of [await signInIdOf(other), uuidv7()]) {
        const answer = await end(client, id);
        expect(answer).toMatchObject(NOT_FOUND);
        answers.push({ ...answer.body, instance: 'any' });
      }
      expect(answers[0]).toEqual(answers[1]);
      expect(await alive(other)).toBe(true);
    });

    it('refuses a sign-in that has ended, and an invalid id', async () => {
      const [client, ended] = [await signIn(ada), await signIn(ada)];
      const id = await signInIdOf(ended);
      await end(client, id);
      expect(await end(client, id)).toMatchObject(NOT_FOUND);
      expect(await end(client, 'x')).toMatchObject({ status: 400, problem: 'validation-failed' });
    });

    // room: tokens
    it.each(tokens)('refuses a $mode without the scope sessions:write', async ({ of }) => {
      const token = await of(ada, { scope: 'sessions:read' });
      const refused = { status: 403, problem: 'insufficient-scope' };
      expect(await end(token, await signInIdOf(token))).toMatchObject(refused);
      expect(await token.delete('/v1/sessions')).toMatchObject(refused);
    });
    // /room
  });

  describe('DELETE /v1/sessions', () => {
    it('[V7.5.2] ends all sign-ins of the person but the current one', async () => {
      const eve = await signIn(await context.server.person());
      const [client, ...others] = await signInByAll();
      const answer = await client!.delete('/v1/sessions');
      expect(answer).toMatchObject({ status: 204, cookieNames: [] });
      for (const other of others) expect(await alive(other)).toBe(false);
      expect(await alive(eve)).toBe(true);
      expect(await idsOf(client!)).toEqual([await signInIdOf(client!)]);
    });
  });

  describe('the number of sign-ins of a person', () => {
    it('is at most 100: the next sign-in ends the one that was unused for longest', async () => {
      const { server } = context;
      const [oldest, unused] = [await signIn(ada), await signIn(ada)];
      await server.query(
        `UPDATE sign_ins SET last_seen_at = last_seen_at - interval '1 hour' WHERE id = $1`,
        [await signInIdOf(unused)],
      );
      await server.query(
        `INSERT INTO sign_ins SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid()))).*
         FROM sign_ins s, generate_series(1, 97) WHERE s.id = $1`,
        [await signInIdOf(oldest)],
      );
      const hundredth = await signIn(ada);
      expect([await alive(oldest), await alive(unused), await alive(hundredth)]).toEqual([true, true, true]);
      const next = await signIn(ada);
      expect([await alive(oldest), await alive(unused), await alive(next)]).toEqual([true, false, true]);
      const [{ n }] = await server.query(
        'SELECT count(*)::int AS n FROM sign_ins WHERE user_id = $1 AND ended_at IS NULL',
        [ada.id],
      );
      expect(n).toBe(100);
    });
  });
});
