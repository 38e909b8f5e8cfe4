import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { meet, type Meeting } from '../../support/barrier.js';
import type { Answer, Client } from '../../support/client.js';
import { apiKeyOf, type KeyClient } from '../../support/modes/api-key.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { opaqueOf } from '../../support/modes/opaque.js';
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { PASSWORD, useServer } from '../../support/server.js';

const ROUNDS = 10;
const ACCOUNTS = '/v1/admin/service-accounts';

describe('a privileged write of somebody who is being removed', () => {
  const context = useServer({ env: { RATE_LIMITS: 'off' } });
  let admin: SessionClient;
  let ada: Person;
  let account: string;
  let keyOfAccount: string;
  let kid: string;
  /** The administrator who is removed. */
  let eve: Person;
  let acting: SessionClient;
  let other: SessionClient;
  let key: KeyClient;

  beforeAll(async () => {
    admin = await sessionOf(await context.server.administrator());
    ada = await context.server.person();
    account = (await admin.post(ACCOUNTS, { name: 'Billing' })).body.id;
    keyOfAccount = (
      await admin.post(`${ACCOUNTS}/${account}/api-keys`, { name: 'x', scopes: ['probes:read'] })
    ).body.id;
    kid = (await admin.get('/v1/admin/signing-keys')).body.items[0].kid;
  });

  beforeEach(() => enter());

  async function enter(): Promise<void> {
    eve = await context.server.administrator();
    key = await apiKeyOf(eve, ['probes:read', 'probes:write']);
    other = await sessionOf(eve);
    acting = await sessionOf(eve);
  }

  const row = (table: string, id: string): Meeting => ({
    lock: `SELECT 1 FROM ${table} WHERE id = $1 FOR UPDATE`,
    parameters: [id],
  });
  const setRoles = (by: Client, roles: string[]) => by.put(`/v1/admin/users/${eve.id}/roles`, { roles });

  /** How eve is removed, and the row at which that meets her write. */
  const REMOVALS: Record<string, { at: () => Meeting; remove: () => Promise<Answer> }> = {
    demoted: { at: () => row('users', eve.id), remove: () => setRoles(admin, []) },
    disabled: {
      at: () => row('users', eve.id),
      remove: () => admin.put(`/v1/admin/users/${eve.id}/status`, { status: 'disabled' }),
    },
    'signed out by an administrator': {
      at: () => row('users', eve.id),
      remove: () => admin.post(`/v1/admin/users/${eve.id}/sign-out`),
    },
    'signed out': {
      at: () => row('sign_ins', acting.signInId),
      remove: () => acting.delete('/v1/sessions/current'),
    },
    'signed out by another session': {
      at: () => row('users', eve.id),
      remove: () => other.delete(`/v1/sessions/${acting.signInId}`),
    },
    'renewed, so that a copy of the cookie ends': {
      at: () => row('users', eve.id),
      remove: () => acting.post('/v1/sessions/current/reauthentication', { password: PASSWORD }),
    },
  };

  const WRITES: Record<string, () => Promise<Answer>> = {
    'PUT /v1/admin/users/:id/roles': () =>
      acting.put(`/v1/admin/users/${ada.id}/roles`, { roles: ['admin'] }),
    'PUT /v1/admin/users/:id/status': () =>
      acting.put(`/v1/admin/users/${ada.id}/status`, { status: 'disabled' }),
    'POST /v1/admin/users/:id/sign-out': () => acting.post(`/v1/admin/users/${ada.id}/sign-out`),
    'POST /v1/admin/service-accounts': () => acting.post(ACCOUNTS, { name: 'Mine' }),
    'PATCH /v1/admin/service-accounts/:id': () => acting.patch(`${ACCOUNTS}/${account}`, { name: 'Mine' }),
    'DELETE /v1/admin/service-accounts/:id': () => acting.delete(`${ACCOUNTS}/${account}`),
    'POST /v1/admin/service-accounts/:id/api-keys': () =>
      acting.post(`${ACCOUNTS}/${account}/api-keys`, { name: 'Mine', scopes: ['probes:read'] }),
    'PATCH /v1/admin/service-accounts/:id/api-keys/:keyId': () =>
      acting.patch(`${ACCOUNTS}/${account}/api-keys/${keyOfAccount}`, { name: 'Mine' }),
    'POST /v1/admin/service-accounts/:id/api-keys/:keyId/rotation': () =>
      acting.post(`${ACCOUNTS}/${account}/api-keys/${keyOfAccount}/rotation`),
    'DELETE /v1/admin/service-accounts/:id/api-keys/:keyId': () =>
      acting.delete(`${ACCOUNTS}/${account}/api-keys/${keyOfAccount}`),
    'POST /v1/admin/signing-keys': () => acting.post('/v1/admin/signing-keys'),
    'DELETE /v1/admin/signing-keys/:kid': () => acting.delete(`/v1/admin/signing-keys/${kid}`),
    'POST /v1/api-keys': () => acting.post('/v1/api-keys', { name: 'Mine', scopes: ['probes:read'] }),
    'PATCH /v1/api-keys/:id': () => acting.patch(`/v1/api-keys/${key.id}`, { name: 'Mine' }),
    'POST /v1/api-keys/:id/rotation': () => acting.post(`/v1/api-keys/${key.id}/rotation`),
    'DELETE /v1/api-keys/:id': () => acting.delete(`/v1/api-keys/${key.id}`),
    'PUT /v1/users/me/password': () =>
      acting.put('/v1/users/me/password', { currentPassword: PASSWORD, newPassword: `another ${PASSWORD}` }),
    'POST /v1/sessions/current/reauthentication': () =>
      acting.post('/v1/sessions/current/reauthentication', { password: PASSWORD }),
    'DELETE /v1/sessions': () => acting.delete('/v1/sessions'),
    'DELETE /v1/sessions/:id': () => acting.delete(`/v1/sessions/${other.signInId}`),
  };

  /** All that the writes could change, but what the removal changes. */
  async function state(): Promise<unknown[]> {
    const dataSource = context.server;
    return Promise.all([
      dataSource.query('SELECT id, roles, status FROM users WHERE id <> $1 ORDER BY id', [eve.id]),
      dataSource.query('SELECT id, password_hash FROM users ORDER BY id'),
      dataSource.query('SELECT id, ended_at FROM sign_ins WHERE user_id <> $1 ORDER BY id', [eve.id]),
      dataSource.query('SELECT id, name, status FROM service_accounts ORDER BY id'),
      dataSource.query('SELECT id, name, scopes, revoked_at, rotated_to FROM api_keys ORDER BY id'),
      dataSource.query('SELECT kid, status FROM signing_keys ORDER BY kid'),
    ]);
  }

  /** The removal waits at the row, then the write waits, and both go on in this order. */
  async function race(removal: string, write: () => Promise<Answer>): Promise<Answer> {
    const { at, remove } = REMOVALS[removal]!;
    const [removed, written] = await meet(context.server, at(), [remove, write]);
    expect(removed!.status).toBeLessThan(300);
    return written!;
  }

  const refused = { status: 401, problem: 'invalid-credential' };

  async function expectRefused(removal: string, write: () => Promise<Answer>): Promise<void> {
    const before = await state();
    expect(await race(removal, write)).toMatchObject(refused);
    expect(await state()).toEqual(before);
  }

  describe.each(['demoted', 'disabled', 'signed out'])('who is %s', (removal) => {
    it.each(Object.entries(WRITES))('is refused on %s, and nothing is written', (_route, write) =>
      expectRefused(removal, write),
    );
  });

  it.each(Object.keys(REMOVALS))('is refused for an administrator who is %s', async (removal) => {
    await expectRefused(removal, WRITES['PUT /v1/admin/users/:id/status']!);
    await enter();
    await expectRefused(removal, WRITES['POST /v1/api-keys']!);
  });

  it.each(['demoted', 'disabled', 'signed out'])(
    `never becomes an administrator again, in ${ROUNDS} rounds: %s`,
    async (removal) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const answer = await race(removal, () => setRoles(acting, ['admin']));
        expect(answer).toMatchObject({ ...refused, challenges: 'Session realm="api"' });
        const [{ roles, status }] = await context.server.query(
          'SELECT roles, status FROM users WHERE id = $1',
          [eve.id],
        );
        expect({ roles, status }).toEqual({
          roles: removal === 'demoted' ? [] : ['admin'],
          status: removal === 'disabled' ? 'disabled' : 'active',
        });
        await enter();
      }
    },
  );

  it.each([
    ['jwt', jwtOf],
    ['opaque', opaqueOf],
  ] as const)('by %s is refused too, with the challenge of its scheme', async (_mode, signIn) => {
    const token = await signIn(eve, { scope: 'admin:users' });
    const answer = await race('demoted', () => setRoles(token, ['admin']));
    expect(answer).toMatchObject({
      ...refused,
      challenges: 'Bearer realm="api", error="invalid_token"',
    });
  });

  it.each<[string, string, () => string]>([
    ['the user is disabled', `UPDATE users SET status = 'disabled' WHERE id = $1`, () => eve.id],
    ['the user is deleted', 'DELETE FROM users WHERE id = $1', () => eve.id],
    [
      'the sign-in has expired',
      `UPDATE sign_ins SET expires_at = now() - interval '1s' WHERE id = $1`,
      () => acting.signInId,
    ],
    [
      'the sign-in was idle for too long',
      `UPDATE sign_ins SET idle_expires_at = now() - interval '1s' WHERE id = $1`,
      () => acting.signInId,
    ],
  ])('is refused if nothing more happened than that %s', async (_what, lock, id) => {
    for (const write of [
      () => acting.post(ACCOUNTS, { name: 'Mine' }),
      () => setRoles(acting, ['admin']),
      () => acting.post('/v1/api-keys', { name: 'Mine', scopes: ['orders:read'] }),
    ]) {
      const [answer] = await meet(context.server, { lock, parameters: [id()] }, [write]);
      expect(answer).toMatchObject(refused);
      await enter();
    }
  });

  it('is refused for the missing scope if only the role is gone', async () => {
    const [answer] = await meet(
      context.server,
      { lock: `UPDATE users SET roles = '{}' WHERE id = $1`, parameters: [eve.id] },
      [() => setRoles(acting, ['admin'])],
    );
    expect(answer).toMatchObject({
      status: 403,
      problem: 'insufficient-scope',
      challenges: 'Session realm="api", error="insufficient_scope", scope="admin:users"',
      body: { missingScopes: ['admin:users'] },
    });
  });

  it('is in the log with the precise reason', async () => {
    await race('signed out', () => acting.post('/v1/admin/signing-keys'));
    expect(
      (await context.server.entries()).findLast(({ event }) => event === 'request.refused'),
    ).toMatchObject({
      problem: 'invalid-credential',
      reason: 'sign-in ended or renewed meanwhile',
      userId: eve.id,
      credentialId: acting.signInId,
    });
  });
});
