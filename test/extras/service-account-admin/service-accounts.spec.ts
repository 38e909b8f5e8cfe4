import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Administrators } from '../../../src/extras/service-account-admin/administrators.js';
import { holdServiceAccount } from '../../../src/extras/service-accounts/service-account-owner.js';
import { Principal } from '../../../src/auth/principal.js';
import { NotFoundError } from '../../../src/platform/problems/not-found.js';
// room: oauth
import { basic, postForm } from '../../support/form.js';
// /room
import { apiKeyOf, KeyClient } from '../../support/modes/api-key.js';
import { InProcessServer } from '../../support/in-process.js';
// room: oauth
import { exchange } from '../../support/modes/machine.js';
// /room
import type { Client } from '../../support/client.js';
import {
  administer,
  refreshed,
  signIn,
  signInIdOf,
  signIns,
  // room: tokens
  tokens,
  // /room
} from '../../support/modes/any.js';
import type { Person } from '../../support/person.js';
import { useStarted } from '../../support/server.js';

const ISSUER = 'http://auth.example.com';
const REPORTS = 'https://reports.example.com';
const PATH = '/v1/admin/service-accounts';

describe('service accounts', () => {
  const env = { ISSUER, AUDIENCES: `${ISSUER} ${REPORTS}` };
  const context = useStarted(() => InProcessServer.start({ env }));
  let grace: Person;
  let admin: Client;
  let account: string;
  beforeAll(async () => {
    grace = await context.server.administrator();
    admin = await administer(grace);
    account = (await admin.post(PATH, { name: 'Billing' })).body.id;
  });

  const keyOf = async (id: string, scopes: string[], fields: object = {}) =>
    KeyClient.from(
      context.server.url,
      context.server.secrets,
      await admin.post(`${PATH}/${id}/api-keys`, { name: 'x', scopes, ...fields }),
    );

  it('are made and listed by an administrator', async () => {
    const made = await admin.post(PATH, { name: 'Reports', audience: REPORTS });
    expect([made.status, made.body]).toEqual([
      201,
      {
        id: expect.any(String),
        name: 'Reports',
        audience: REPORTS,
        status: 'active',
        createdBy: grace.id,
        createdAt: expect.any(String),
      },
    ]);
    const { body: page } = await admin.get(`${PATH}?limit=1`);
    expect(page.items).toEqual([made.body]);
    const { body: next } = await admin.get(`${PATH}?limit=1&cursor=${page.nextCursor}`);
    expect(next.items).toMatchObject([{ id: account, name: 'Billing', audience: ISSUER }]);
    for (const [body, pointer] of [
      [{}, '/name'],
      [{ name: '' }, '/name'],
      [{ name: 'x', audience: 'https://elsewhere.example.com' }, '/audience'],
      [{ name: 'x', more: 1 }, '/more'],
    ] as const) {
      const answer = await admin.post(PATH, body);
      expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
    }
  });

  /** What a handler sees of the account. */
  const principal = () => ({
    kind: 'service-account',
    subject: account,
    scopes: ['probes:read', 'profile:read'],
    authTime: null,
    amr: [],
  });

  it('are principals of their own kind: no person, and no machine of one', async () => {
    const key = await keyOf(account, ['probes:read', 'profile:read']);
    const { body } = await key.get('/v1/probes/principal');
    expect(body).toEqual({ ...principal(), mode: 'api-key', credentialId: key.id });
    expect(await key.get('/v1/users/me')).toMatchObject({ status: 403, problem: 'person-required' });
  });

  // room: oauth
  it('are the same principals by a token', async () => {
    const key = await keyOf(account, ['probes:read', 'profile:read']);
    const token = await exchange(key);
    const { body } = await token.get('/v1/probes/principal');
    expect(body).toEqual({ ...principal(), mode: 'jwt', credentialId: token.claims['jti'] });
    expect(token.claims).toMatchObject({ sub: account, client_id: key.id });
    expect(await token.get('/v1/sessions/current')).toMatchObject({
      status: 403,
      problem: 'person-required',
    });
  });
  // /room

  it('own what they make, and see nothing of anybody else', async () => {
    const key = await keyOf(account, ['probes:read', 'probes:write']);
    const { body: order } = await key.post('/v1/probes', { note: 'Tea' });
    expect((await key.get('/v1/probes')).body.items).toEqual([order]);
    expect((await admin.get(`/v1/probes/${order.id}`)).status).toBe(404);
    const { body: theirs } = await admin.post('/v1/probes', { note: 'Coffee' });
    expect((await key.get(`/v1/probes/${theirs.id}`)).status).toBe(404);
    const other = (await admin.post(PATH, { name: 'Other' })).body.id;
    expect((await (await keyOf(other, ['probes:read'])).get('/v1/probes')).body.items).toEqual([]);
  });

  /** The lines of the log about a request. */
  const lines = async (client: Client, path: string) => {
    const id = (await client.get(path)).headers.get('x-request-id');
    return context.server.entries().filter(({ requestId }) => requestId === id);
  };

  it('are told apart in the log', async () => {
    const key = await keyOf(account, ['probes:read']);
    for (const line of await lines(key, '/v1/users/me')) expect(line).not.toHaveProperty('userId');
    expect(await lines(key, '/v1/probes')).toMatchObject([
      { msg: 'request', mode: 'api-key', serviceAccountId: account, credentialId: key.id },
    ]);
    const events = context.server.entries().filter(({ credentialId }) => credentialId === key.id);
    expect(events[0]).toMatchObject({
      event: 'api-key.created',
      serviceAccountId: account,
      by: grace.id,
    });
    expect(events[0]).not.toHaveProperty('userId');
  });

  // room: oauth
  it('are told apart in the log by a token, with its key', async () => {
    const key = await keyOf(account, ['probes:read']);
    const token = await exchange(key);
    const [refusal, access] = await lines(token, '/v1/users/me');
    const who = { mode: 'jwt', serviceAccountId: account, credentialId: token.claims['jti'], keyId: key.id };
    expect([refusal, access]).toMatchObject([{ event: 'request.refused', ...who }, who]);
  });
  // /room

  it('outlive the person who made them', async () => {
    const eve = await context.server.administrator();
    const session = await administer(eve);
    const { body: made } = await session.post(PATH, { name: 'Shipping' });
    const key = KeyClient.from(
      context.server.url,
      context.server.secrets,
      await session.post(`${PATH}/${made.id}/api-keys`, { name: 'x', scopes: ['probes:read'] }),
    );
    const clients: Client[] = [key];
    // room: oauth
    clients.push(await exchange(key));
    // /room
    const works = async () => {
      for (const client of clients) expect((await client.get('/v1/probes')).status).toBe(200);
    };
    await admin.put(`/v1/admin/users/${eve.id}/status`, { status: 'disabled' });
    await works();
    await context.server.query('DELETE FROM subjects WHERE id = $1', [eve.id]);
    await works();
    const { items } = (await admin.get(PATH)).body;
    expect(items.find(({ id }: { id: string }) => id === made.id).createdBy).toBeNull();
  });

  it('have keys that an administrator shows, narrows, rotates and deletes', async () => {
    const key = await keyOf(account, ['probes:read', 'probes:write']);
    const path = `${PATH}/${account}/api-keys/${key.id}`;
    expect((await admin.get(path)).body).toMatchObject({ id: key.id, prefix: key.key.slice(0, 12) });
    const { items } = (await admin.get(`${PATH}/${account}/api-keys`)).body;
    expect(items[0].id).toBe(key.id);
    expect((await admin.patch(path, { scopes: ['probes:read'] })).body.scopes).toEqual(['probes:read']);
    const rotated = await admin.post(`${path}/rotation`, { overlapSeconds: 0 });
    expect([rotated.status, (await key.get('/v1/probes')).status]).toEqual([201, 401]);
    const location = rotated.headers.get('location')!;
    expect(location).toBe(`${PATH}/${account}/api-keys/${rotated.body.id}`);
    const fresh = KeyClient.from(context.server.url, context.server.secrets, rotated);
    expect((await fresh.get('/v1/probes')).status).toBe(200);
    expect((await admin.delete(location)).status).toBe(204);
    expect((await fresh.get('/v1/probes')).status).toBe(401);
  });

  it('are no way to the keys of people, nor people to theirs', async () => {
    const ada = await context.server.person();
    const hers = await apiKeyOf(ada, ['probes:read']);
    for (const owner of [ada.id, grace.id]) {
      const made = await admin.post(`${PATH}/${owner}/api-keys`, { name: 'x', scopes: ['probes:read'] });
      expect(made.status).toBe(404);
      expect((await admin.get(`${PATH}/${owner}/api-keys`)).status).toBe(404);
    }
    for (const owner of [ada.id, account]) {
      const path = `${PATH}/${owner}/api-keys/${hers.id}`;
      const answers = [
        await admin.get(path),
        await admin.patch(path, { name: 'y' }),
        await admin.post(`${path}/rotation`),
        await admin.delete(path),
      ];
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    }
    expect((await hers.get('/v1/probes')).status).toBe(200);
    // Nor for whoever calls the services past the routes.
    const { mode, authTime } = (await admin.get('/v1/probes/principal')).body;
    const signInId = await signInIdOf(admin);
    const principal = new Principal({
      mode,
      kind: 'person',
      subject: grace.id,
      credentialId: signInId,
      signInId,
      authTime: new Date(authTime),
      scopes: ['probes:read'],
    });
    const forAda = context.server.app.get(Administrators, { strict: false }).holderOf(principal, ada.id);
    await expect(forAda).rejects.toBeInstanceOf(NotFoundError);
    const held = context.server.dataSource.transaction((manager) => holdServiceAccount(manager, ada.id));
    await expect(held).rejects.toBeInstanceOf(NotFoundError);
    const theirs = await keyOf(account, ['probes:read']);
    expect((await admin.get(`/v1/api-keys/${theirs.id}`)).status).toBe(404);
    expect((await admin.post(`/v1/api-keys/${theirs.id}/rotation`)).status).toBe(404);
  });

  it('are for administrators', async () => {
    expect(await (await signIn(await context.server.person())).get(PATH)).toMatchObject({
      status: 403,
      problem: 'insufficient-scope',
    });
  });

  // room: tokens
  it.each(tokens)('need the scope of a $mode', async ({ of }) => {
    expect((await (await of(grace)).get(PATH)).status).toBe(403);
    expect((await (await of(grace, { scope: 'admin:service-accounts' })).get(PATH)).status).toBe(200);
  });
  // /room

  it.each(signIns)('need a recent sign-in by $mode', async (kind) => {
    const client = await administer(grace, kind);
    context.server.clock.advance('11m');
    expect(await (await refreshed(client)).post(PATH, { name: 'x' })).toMatchObject({
      status: 401,
      problem: 'insufficient-user-authentication',
    });
    context.server.clock.reset();
  });

  describe('that are changed', () => {
    const create = async () => (await admin.post(PATH, { name: 'Shipping' })).body;
    /** The key, and a token for it. */
    const clientsOf = async (key: KeyClient): Promise<Client[]> => [
      key,
      // room: oauth
      await exchange(key),
      // /room
    ];
    /** Whether they work, and whether an API finds the token active: all or none. */
    const uses = async (clients: readonly Client[]): Promise<Set<boolean>> => {
      const found = new Set<boolean>();
      for (const client of clients) found.add((await client.get('/v1/probes')).status === 200);
      // room: oauth
      const token = clients[1]!.headers['Authorization']!.slice('Bearer '.length);
      const watcher = await keyOf(account, ['tokens:introspect']);
      found.add((await postForm(watcher, '/oauth/introspect', { token })).body.active);
      // /room
      return found;
    };

    it('have another name, and nothing else changes', async () => {
      const made = await create();
      const renamed = await admin.patch(`${PATH}/${made.id}`, { name: 'Delivery' });
      expect(renamed).toMatchObject({ status: 200, body: { ...made, name: 'Delivery' } });
      expect((await admin.get(PATH)).body.items[0]).toEqual(renamed.body);
    });

    it('stop while they are disabled, with their keys and tokens, and work again when enabled', async () => {
      const { id } = await create();
      const key = await keyOf(id, ['probes:read']);
      const clients = await clientsOf(key);
      expect(await uses(clients)).toEqual(new Set([true]));
      const disabled = await admin.patch(`${PATH}/${id}`, { status: 'disabled' });
      expect(disabled).toMatchObject({ status: 200, body: { status: 'disabled' } });
      expect(await uses(clients)).toEqual(new Set([false]));
      // room: oauth
      const form = { grant_type: 'client_credentials' };
      const { anonymous } = context.server;
      expect(await postForm(anonymous, '/oauth/token', form, basic(key.id, key.key))).toMatchObject({
        status: 401,
        body: { error: 'invalid_client' },
      });
      // /room
      await admin.patch(`${PATH}/${id}`, { status: 'active' });
      expect(await uses(clients)).toEqual(new Set([true]));
    });

    it('are gone with their keys, tokens and rows once they are deleted', async () => {
      const { id } = await create();
      const key = await keyOf(id, ['probes:read', 'probes:write']);
      await admin.post(`${PATH}/${id}/api-keys/${key.id}/rotation`);
      const clients = await clientsOf(key);
      await key.post('/v1/probes', { note: 'Tea' });
      expect(await uses(clients)).toEqual(new Set([true]));
      expect((await admin.delete(`${PATH}/${id}`)).status).toBe(204);
      expect(await uses(clients)).toEqual(new Set([false]));
      expect((await admin.get(`${PATH}/${id}/api-keys`)).status).toBe(404);
      for (const table of [
        'subjects WHERE id = $1',
        'api_keys WHERE owner_id = $1',
        'probes WHERE owner_id = $1',
      ])
        expect(await context.server.query(`SELECT 1 FROM ${table}`, [id])).toEqual([]);
    });

    it('are named in the log', async () => {
      const { id } = await create();
      await admin.patch(`${PATH}/${id}`, { name: 'Delivery' });
      await admin.patch(`${PATH}/${id}`, { status: 'disabled' });
      await admin.patch(`${PATH}/${id}`, { status: 'disabled' });
      await admin.delete(`${PATH}/${id}`);
      const about = context.server.entries().filter((entry) => entry['serviceAccountId'] === id);
      expect(about).toMatchObject([
        { event: 'service-account.created', by: grace.id },
        { event: 'service-account.status-changed', by: grace.id, status: 'disabled' },
        { event: 'service-account.deleted', by: grace.id },
      ]);
      expect(about).toHaveLength(3);
    });

    it.each([
      [{}, ''],
      [{ name: '' }, '/name'],
      [{ status: 'deleted' }, '/status'],
      [{ audience: REPORTS }, '/audience'],
    ])('are refused with %j', async (body, pointer) => {
      const answer = await admin.patch(`${PATH}/${account}`, body);
      expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
    });

    it('are no users, and no others than those there are', async () => {
      for (const id of [grace.id, randomUUID()])
        for (const answer of [
          await admin.patch(`${PATH}/${id}`, { status: 'disabled' }),
          await admin.delete(`${PATH}/${id}`),
        ])
          expect(answer).toMatchObject({ status: 404, problem: 'not-found' });
      expect((await admin.get('/v1/users/me')).body.status).toBe('active');
    });
  });

  // room: oauth
  it('see all the access tokens that are for their audience, and no others', async () => {
    const ada = await context.server.person();
    const reports = (await admin.post(PATH, { name: 'Reports', audience: REPORTS })).body.id;
    const [ours, theirs, blind] = [
      await keyOf(reports, ['tokens:introspect']),
      await keyOf(account, ['tokens:introspect']),
      await keyOf(reports, ['probes:read']),
    ];
    const seen = async (key: KeyClient, token: string) =>
      (await postForm(key, '/oauth/introspect', { token })).body.active;
    for (const { of } of tokens) {
      const { accessToken, refreshToken } = await of(ada, { resource: REPORTS });
      expect([await seen(ours, accessToken), await seen(theirs, accessToken)]).toEqual([true, false]);
      expect(await seen(ours, refreshToken)).toBe(false);
    }
    const machine = await postForm(
      context.server.anonymous,
      '/oauth/token',
      { grant_type: 'client_credentials', resource: REPORTS },
      basic(blind.id, blind.key),
    );
    expect(await seen(ours, machine.body.access_token)).toBe(true);
    expect(await seen(theirs, (await tokens[0]!.of(ada)).accessToken)).toBe(true);
    expect(await postForm(blind, '/oauth/introspect', { token: 'x' })).toMatchObject({ status: 403 });
  });
  // /room
});
