import { beforeEach, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Answer, Client } from '../../support/client.js';
import {
  administer,
  refreshed,
  signIn,
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
// room: oauth
import { machineOf } from '../../support/modes/machine.js';
// /room
import type { Person } from '../../support/person.js';
import { PASSWORD, useServer } from '../../support/server.js';

const INVALID = { status: 401, problem: 'invalid-credential' };
const LAST = { status: 409, problem: 'last-administrator' };

describe('administration', () => {
  const context = useServer();
  let root: Person;
  let admin: Client;
  let ada: Person;
  beforeEach(async () => {
    const { server } = context;
    await server.clock.reset();
    // One administrator in each test, so that it is the last one.
    await server.query(`UPDATE users SET roles = '{}'`);
    root = await server.administrator();
    admin = await administer(root);
    ada = await server.person();
  });

  const alive = async (client: Client) => (await client.get('/v1/probes/principal')).status === 200;
  /** Ada signs in by each mode. */
  const signInByAll = () => Promise.all(signIns.map(({ of }) => of(ada)));
  const setRoles = (id: string, roles: unknown, by: Client = admin) =>
    by.put(`/v1/admin/users/${id}/roles`, { roles });
  const setStatus = (id: string, status: unknown, by: Client = admin) =>
    by.put(`/v1/admin/users/${id}/status`, { status });
  const signOut = (id: string, by: Client = admin) => by.post(`/v1/admin/users/${id}/sign-out`);

  /** Every route of the administration, asked by somebody. */
  const ROUTES: [string, (by: Client) => Promise<Answer>][] = [
    ['GET /v1/admin/users', (by) => by.get('/v1/admin/users')],
    ['PUT /v1/admin/users/:id/roles', (by) => setRoles(ada.id, ['admin'], by)],
    ['PUT /v1/admin/users/:id/status', (by) => setStatus(ada.id, 'disabled', by)],
    ['POST /v1/admin/users/:id/sign-out', (by) => signOut(ada.id, by)],
  ];

  describe.each(ROUTES)('%s', (route, ask) => {
    it('refuses a user who is not an administrator', async () => {
      const client = await signIn(ada);
      expect(await ask(client)).toMatchObject({
        status: 403,
        problem: 'insufficient-scope',
        challenges: `${signIns[0]!.scheme} realm="api", error="insufficient_scope", scope="admin:users"`,
        body: { missingScopes: ['admin:users'] },
      });
      expect(await alive(client)).toBe(true);
    });

    // room: tokens
    it.each(tokens)('accepts a $mode that asked for the scope by name', async ({ of }) => {
      expect(await ask(await of(root))).toMatchObject({ status: 403, problem: 'insufficient-scope' });
      expect((await ask(await of(root, { scope: 'admin:users' }))).status).toBeLessThan(300);
    });
    // /room

    // room: own-api-keys
    it('refuses keys', async () => {
      const answer = await ask(await apiKeyOf(root, ['profile:read']));
      expect(answer).toMatchObject({ status: 401, problem: 'mode-not-accepted' });
      expect(new Set(answer.challenges!.split(', '))).toEqual(
        new Set(signIns.map(({ scheme }) => `${scheme} realm="api"`)),
      );
    });
    // /room

    // room: oauth
    it('refuses the token of a machine', async () => {
      expect(await ask(await machineOf(root, ['profile:read']))).toMatchObject({
        status: 403,
        problem: 'person-required',
      });
    });
    // /room

    it.each(signIns)('needs a sign-in by $mode within the last ten minutes', async (kind) => {
      const late = await administer(root, kind);
      await context.server.clock.advance('11m');
      expect(await ask(await refreshed(late))).toMatchObject({
        status: 401,
        problem: 'insufficient-user-authentication',
      });
    });

    // room: sessions
    it('needs the CSRF token of a session, unless it only reads', async () => {
      const { headers } = await sessionOf(root);
      const { status } = await ask(context.server.anonymous.with({ Cookie: headers['Cookie']! }));
      expect(status).toBe(route.startsWith('GET') ? 200 : 403);
    });
    // /room
  });

  describe.each(ROUTES.slice(1))('%s', (route, _ask) => {
    it('refuses an unknown id and an invalid one', async () => {
      const [method, path] = route.split(' ') as [string, string];
      const body = path.endsWith('roles') ? { roles: [] } : { status: 'active' };
      const call = (id: string) =>
        admin.call(method, path.replace(':id', id), path.endsWith('sign-out') ? {} : { body });
      expect(await call(uuidv7())).toMatchObject({ status: 404, problem: 'not-found' });
      expect(await call('x')).toMatchObject({ status: 400, problem: 'validation-failed' });
    });
  });

  describe('GET /v1/admin/users', () => {
    it('lists all users, newest first, without their secrets', async () => {
      const { status, body } = await admin.get('/v1/admin/users?limit=2');
      expect(status).toBe(200);
      expect(body.items).toMatchObject([
        { id: ada.id, roles: [] },
        { id: root.id, roles: ['admin'] },
      ]);
      expect(body.items[0]).toEqual((await (await signIn(ada)).get('/v1/users/me')).body);
    });

    it('pages', async () => {
      const first = (await admin.get('/v1/admin/users?limit=1')).body;
      const second = (await admin.get(`/v1/admin/users?limit=1&cursor=${first.nextCursor}`)).body;
      expect([first.items[0].id, second.items[0].id]).toEqual([ada.id, root.id]);
      expect(await admin.get('/v1/admin/users?cursor=x')).toMatchObject({ status: 400 });
    });
  });

  describe('PUT /v1/admin/users/:id/roles', () => {
    it('makes an administrator, and ends the sign-ins from before', async () => {
      const before = await signInByAll();
      expect(await setRoles(ada.id, ['admin'])).toMatchObject({
        status: 200,
        body: { id: ada.id, roles: ['admin'] },
      });
      for (const client of before) expect(await alive(client)).toBe(false);
      const next = await administer(ada);
      expect((await next.get('/v1/probes/principal')).body.scopes).toContain('admin:users');
      expect((await next.get('/v1/admin/users')).status).toBe(200);
    });

    it('takes the role away, and ends the sign-ins with it', async () => {
      await setRoles(ada.id, ['admin']);
      const carriers = await Promise.all(signIns.map((kind) => administer(ada, kind)));
      expect(await setRoles(ada.id, [])).toMatchObject({ status: 200, body: { roles: [] } });
      for (const client of carriers) expect(await client.get('/v1/admin/users')).toMatchObject(INVALID);
      expect((await (await signIn(ada)).get('/v1/admin/users')).status).toBe(403);
    });

    it('refuses to leave no administrator', async () => {
      expect(await setRoles(root.id, [])).toMatchObject(LAST);
      expect((await admin.get('/v1/admin/users')).status).toBe(200);
      // A disabled administrator is none to rely on.
      await setRoles(ada.id, ['admin']);
      await setStatus(ada.id, 'disabled');
      expect(await setRoles(root.id, [])).toMatchObject(LAST);
      await setStatus(ada.id, 'active');
      expect((await setRoles(root.id, [])).status).toBe(200);
      expect(await alive(admin)).toBe(false);
    });

    it.each([
      ['an unknown role', { roles: ['root'] }, '/roles/0'],
      ['a text', { roles: 'admin' }, '/roles'],
      ['none', {}, '/roles'],
      ['a role twice', { roles: ['admin', 'admin'] }, '/roles'],
      ['an unknown field', { roles: [], status: 'active' }, '/status'],
    ])('refuses %s', async (_what, body, pointer) => {
      const answer = await admin.put(`/v1/admin/users/${ada.id}/roles`, body);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors[0].pointer).toBe(pointer);
    });
  });

  describe('PUT /v1/admin/users/:id/status', () => {
    it('[V7.4.2] ends sign-ins and keys at once, and refuses new sign-ins', async () => {
      const { anonymous } = context.server;
      const clients = await signInByAll();
      // room: own-api-keys
      clients.push(await apiKeyOf(ada, ['probes:read']));
      // /room
      expect(await setStatus(ada.id, 'disabled')).toMatchObject({
        status: 200,
        body: { id: ada.id, status: 'disabled' },
      });
      for (const client of clients) expect(await client.get('/v1/probes/principal')).toMatchObject(INVALID);
      for (const { path, fields } of signIns)
        expect(await anonymous.post(path, { email: ada.email, password: PASSWORD, ...fields })).toMatchObject(
          INVALID,
        );
    });

    // room: tokens
    it.each(tokens)('ends the refresh token of a $mode', async ({ of }) => {
      const { refreshToken } = await of(ada);
      await setStatus(ada.id, 'disabled');
      expect(await context.server.anonymous.post('/v1/tokens/refresh', { refreshToken })).toMatchObject({
        status: 401,
        problem: 'invalid-refresh-token',
      });
    });
    // /room

    it('accepts keys again, but no sign-in from before, if the user is enabled again', async () => {
      const before = await signInByAll();
      // room: own-api-keys
      const key = await apiKeyOf(ada, ['probes:read']);
      // /room
      await setStatus(ada.id, 'disabled');
      expect(await setStatus(ada.id, 'active')).toMatchObject({ status: 200, body: { status: 'active' } });
      for (const client of before) expect(await alive(client)).toBe(false);
      // room: own-api-keys
      expect(await alive(key)).toBe(true);
      // /room
      expect(await alive(await signIn(ada))).toBe(true);
    });

    it('changes nothing if the user is active already', async () => {
      const client = await signIn(ada);
      expect((await setStatus(ada.id, 'active')).status).toBe(200);
      expect(await alive(client)).toBe(true);
    });

    it('refuses to disable the last administrator', async () => {
      expect(await setStatus(root.id, 'disabled')).toMatchObject(LAST);
      expect((await admin.get('/v1/users/me')).body.status).toBe('active');
      await setRoles(ada.id, ['admin']);
      expect((await setStatus(root.id, 'disabled')).status).toBe(200);
      expect(await alive(admin)).toBe(false);
    });

    it.each([
      ['an unknown status', { status: 'deleted' }],
      ['none', {}],
      ['true', { status: true }],
    ])('refuses %s', async (_what, body) => {
      const answer = await admin.put(`/v1/admin/users/${ada.id}/status`, body);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer: '/status' }]);
    });
  });

  describe('POST /v1/admin/users/:id/sign-out', () => {
    it('[V7.4.5] ends all sign-ins of the user, and nothing else', async () => {
      const clients = await signInByAll();
      // room: own-api-keys
      const key = await apiKeyOf(ada, ['probes:read']);
      // /room
      expect(await signOut(ada.id)).toMatchObject({ status: 204, body: undefined });
      for (const client of clients) expect(await alive(client)).toBe(false);
      // room: own-api-keys
      expect(await alive(key)).toBe(true);
      // /room
      expect(await alive(admin)).toBe(true);
      expect(await alive(await signIn(ada))).toBe(true);
    });
  });

  describe('what administrators do', () => {
    it('is in the log, with who did it to whom', async () => {
      await setRoles(ada.id, ['admin']);
      await setStatus(ada.id, 'disabled');
      await signOut(ada.id);
      const done = (await context.server.entries()).filter(({ by }) => by === root.id);
      expect(done).toMatchObject([
        { event: 'user.roles-changed', userId: ada.id, roles: ['admin'] },
        { event: 'user.status-changed', userId: ada.id, status: 'disabled' },
        { event: 'user.signed-out', userId: ada.id },
      ]);
    });
  });
});
