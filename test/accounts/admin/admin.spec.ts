import { beforeEach, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Client } from '../../support/client.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { machineOf } from '../../support/modes/machine.js';
import { opaqueOf } from '../../support/modes/opaque.js';
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { PASSWORD, useServer } from '../../support/server.js';

const INVALID = { status: 401, problem: 'invalid-credential' };
const LAST = { status: 409, problem: 'last-administrator' };

describe('administration', () => {
  const context = useServer();
  let root: Person;
  let admin: SessionClient;
  let ada: Person;
  beforeEach(async () => {
    const { server } = context;
    await server.clock.reset();
    // One administrator in each test, so that it is the last one.
    await server.query(`UPDATE users SET roles = '{}'`);
    root = await server.administrator();
    admin = await sessionOf(root);
    ada = await server.person();
  });

  const alive = async (client: Client) => (await client.get('/v1/probes/principal')).status === 200;
  const setRoles = (id: string, roles: unknown, by: Client = admin) =>
    by.put(`/v1/admin/users/${id}/roles`, { roles });
  const setStatus = (id: string, status: unknown, by: Client = admin) =>
    by.put(`/v1/admin/users/${id}/status`, { status });
  const signOut = (id: string, by: Client = admin) => by.post(`/v1/admin/users/${id}/sign-out`);

  /** Every route of the administration, asked by somebody. */
  const ROUTES: [string, (by: Client) => Promise<{ status: number }>][] = [
    ['GET /v1/admin/users', (by) => by.get('/v1/admin/users')],
    ['PUT /v1/admin/users/:id/roles', (by) => setRoles(ada.id, ['admin'], by)],
    ['PUT /v1/admin/users/:id/status', (by) => setStatus(ada.id, 'disabled', by)],
    ['POST /v1/admin/users/:id/sign-out', (by) => signOut(ada.id, by)],
  ];

  describe.each(ROUTES)('%s', (route, ask) => {
    it('refuses whoever is no administrator', async () => {
      const session = await sessionOf(ada);
      expect(await ask(session)).toMatchObject({
        status: 403,
        problem: 'insufficient-scope',
        challenges: 'Session realm="api", error="insufficient_scope", scope="admin:users"',
        body: { missingScopes: ['admin:users'] },
      });
      expect(await alive(session)).toBe(true);
    });

    it.each([
      ['jwt', jwtOf],
      ['opaque', opaqueOf],
    ] as const)('takes a %s that asked for the scope by name', async (_mode, signIn) => {
      expect(await ask(await signIn(root))).toMatchObject({ status: 403, problem: 'insufficient-scope' });
      expect((await ask(await signIn(root, { scope: 'admin:users' }))).status).toBeLessThan(300);
    });

    it('takes no key and no token of a machine, whoever holds it', async () => {
      expect(await ask(await apiKeyOf(root, ['profile:read']))).toMatchObject({
        status: 401,
        problem: 'mode-not-accepted',
        challenges: 'Bearer realm="api", Session realm="api"',
      });
      expect(await ask(await machineOf(root, ['profile:read']))).toMatchObject({
        status: 403,
        problem: 'person-required',
      });
    });

    it('needs a sign-in of the last ten minutes', async () => {
      await context.server.clock.advance('11m');
      expect(await ask(admin)).toMatchObject({ status: 401, problem: 'insufficient-user-authentication' });
    });

    it('needs the CSRF token, unless it only reads', async () => {
      const client = context.server.anonymous.with({ Cookie: admin.headers['Cookie']! });
      const { status } = await ask(client);
      expect(status).toBe(route.startsWith('GET') ? 200 : 403);
    });
  });

  describe.each(ROUTES.slice(1))('%s', (route, _ask) => {
    it('refuses an unknown id, and what is no id', async () => {
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
      expect(body.items[0]).toEqual((await (await sessionOf(ada)).get('/v1/users/me')).body);
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
      const [session, token] = [await sessionOf(ada), await jwtOf(ada)];
      expect(await setRoles(ada.id, ['admin'])).toMatchObject({
        status: 200,
        body: { id: ada.id, roles: ['admin'] },
      });
      expect([await alive(session), await alive(token)]).toEqual([false, false]);
      const next = await sessionOf(ada);
      expect((await next.get('/v1/probes/principal')).body.scopes).toContain('admin:users');
      expect((await next.get('/v1/admin/users')).status).toBe(200);
    });

    it('takes the role away, with the sign-ins that carried it', async () => {
      await setRoles(ada.id, ['admin']);
      const carriers = [
        await sessionOf(ada),
        await jwtOf(ada, { scope: 'admin:users' }),
        await opaqueOf(ada, { scope: 'admin:users' }),
      ];
      expect(await setRoles(ada.id, [])).toMatchObject({ status: 200, body: { roles: [] } });
      for (const client of carriers) expect(await client.get('/v1/admin/users')).toMatchObject(INVALID);
      expect((await (await sessionOf(ada)).get('/v1/admin/users')).status).toBe(403);
    });

    it('refuses to leave nobody who administers', async () => {
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
    it('ends sessions, tokens and keys at once, and lets nobody sign in', async () => {
      const { anonymous } = context.server;
      const [session, token, key] = [
        await sessionOf(ada),
        await jwtOf(ada),
        await apiKeyOf(ada, ['probes:read']),
      ];
      expect(await setStatus(ada.id, 'disabled')).toMatchObject({
        status: 200,
        body: { id: ada.id, status: 'disabled' },
      });
      for (const client of [session, token, key])
        expect(await client.get('/v1/probes/principal')).toMatchObject(INVALID);
      const body = { email: ada.email, password: PASSWORD };
      for (const path of ['/v1/sessions', '/v1/tokens'])
        expect(await anonymous.post(path, body)).toMatchObject(INVALID);
      expect(await anonymous.post('/v1/tokens/refresh', { refreshToken: token.refreshToken })).toMatchObject({
        status: 401,
        problem: 'invalid-refresh-token',
      });
    });

    it('lets keys work again, but no sign-in from before, where the user is enabled again', async () => {
      const [session, token, key] = [
        await sessionOf(ada),
        await jwtOf(ada),
        await apiKeyOf(ada, ['probes:read']),
      ];
      await setStatus(ada.id, 'disabled');
      expect(await setStatus(ada.id, 'active')).toMatchObject({ status: 200, body: { status: 'active' } });
      expect([await alive(session), await alive(token), await alive(key)]).toEqual([false, false, true]);
      await expect(sessionOf(ada)).resolves.toBeDefined();
    });

    it('changes nothing where it is so already', async () => {
      const session = await sessionOf(ada);
      expect((await setStatus(ada.id, 'active')).status).toBe(200);
      expect(await alive(session)).toBe(true);
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
    it('ends all sign-ins of the user, and nothing else', async () => {
      const [session, token, key] = [
        await sessionOf(ada),
        await jwtOf(ada),
        await apiKeyOf(ada, ['probes:read']),
      ];
      expect(await signOut(ada.id)).toMatchObject({ status: 204, body: undefined });
      expect([await alive(session), await alive(token), await alive(key)]).toEqual([false, false, true]);
      expect(await alive(admin)).toBe(true);
      await expect(sessionOf(ada)).resolves.toBeDefined();
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
