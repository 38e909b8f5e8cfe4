import { createHash } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Barrier } from '../../support/barrier.js';
import type { Answer, Client } from '../../support/client.js';
import { insertKeys } from '../../support/many-keys.js';
import {
  administer,
  refreshed,
  signIn,
  signIns,
  // room: tokens
  tokens,
  // /room
} from '../../support/modes/any.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import type { Person } from '../../support/person.js';
import { useServer } from '../../support/server.js';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

describe('API keys', () => {
  const context = useServer();
  let ada: Person;
  let session: Client;

  beforeAll(async () => {
    ada = await context.server.person();
    session = await signIn(ada);
  });
  afterEach(() => context.server.clock.reset());

  const make = (fields: object = {}) =>
    session.post('/v1/api-keys', { name: 'Nightly import', scopes: ['probes:read'], ...fields });
  const wide = () => apiKeyOf(ada, ['probes:read', 'probes:write', 'profile:read']);
  const narrow = (id: string, body: unknown) => session.patch(`/v1/api-keys/${id}`, body);
  const row = async (id: string) =>
    (await context.server.query('SELECT * FROM api_keys WHERE id = $1', [id]))[0];

  /** Makes requests that insert a key, and holds every insert back until all of them are under way. */
  async function atOnce(requests: (() => Promise<Answer>)[]): Promise<Answer[]> {
    const barrier = await Barrier.hold(
      context.server.config.DATABASE_URL!,
      'LOCK TABLE api_keys IN SHARE MODE',
      [],
    );
    const answers = Promise.all(requests.map((request) => request()));
    await barrier.waiting(requests.length);
    await barrier.release();
    return answers;
  }

  describe('POST /v1/api-keys', () => {
    it('[V6.5.2] shows a key once, and keeps its hash', async () => {
      const expiresAt = '2030-01-01T01:00:00+01:00';
      const made = await make({ scopes: ['probes:write', 'probes:read'], expiresAt });
      expect(made.status).toBe(201);
      const { key, ...view } = made.body;
      expect(key).toMatch(/^nk_test_[A-Za-z0-9]{49}$/);
      expect(view).toEqual({
        id: expect.any(String),
        name: 'Nightly import',
        prefix: key.slice(0, 12),
        last4: key.slice(-4),
        scopes: ['probes:write', 'probes:read'],
        resources: null,
        allowedCidrs: null,
        rateLimit: { requests: 600, windowSeconds: 60 },
        lineageId: view.id,
        rotatedTo: null,
        createdAt: TIME,
        expiresAt: '2030-01-01T00:00:00.000Z',
        lastUsedAt: null,
        lastNetwork: null,
      });
      const path = made.headers.get('location')!;
      expect(path).toBe(`/v1/api-keys/${view.id}`);
      expect((await session.get(path)).body).toEqual(view);
      const { key_hash, revision } = await row(view.id);
      expect(key_hash).toEqual(createHash('sha256').update(key).digest());
      expect(revision).toBe(1);
    });

    it('never creates the same key twice', async () => {
      const keys = await Promise.all([make(), make(), make()]);
      expect(new Set(keys.map(({ body }) => body.key)).size).toBe(3);
    });

    it.each(signIns)('accepts a $mode', async ({ of }) => {
      const client = await of(ada);
      expect((await client.post('/v1/api-keys', { name: 'x', scopes: ['probes:read'] })).status).toBe(201);
    });

    // room: tokens
    it.each(tokens)(
      '[V10.4.11] refuses scopes beyond those of a $mode, and names all of them',
      async ({ of }) => {
        const token = await of(ada, { scope: 'api-keys:write probes:read' });
        const scopes = ['probes:read', 'probes:write', 'profile:read'];
        const answer = await token.post('/v1/api-keys', { name: 'x', scopes });
        expect(answer).toMatchObject({ status: 403, problem: 'insufficient-scope' });
        expect(answer.body.missingScopes).toEqual(['probes:write', 'profile:read']);
        expect(answer.challenges).toBe(
          'Bearer realm="api", error="insufficient_scope", scope="probes:write profile:read"',
        );
        const narrow = await token.post('/v1/api-keys', { name: 'x', scopes: ['probes:read'] });
        expect(narrow.status).toBe(201);
      },
    );
    // /room

    it.each<[string, object, string]>([
      ['account:security', { scopes: ['probes:read', 'account:security'] }, '/scopes/1'],
      ['admin:users', { scopes: ['admin:users'] }, '/scopes/0'],
      ['an unknown scope', { scopes: ['probes:all'] }, '/scopes/0'],
      ['a scope twice', { scopes: ['probes:read', 'probes:read'] }, '/scopes'],
      ['no scope', { scopes: [] }, '/scopes'],
      ['scopes that are a text', { scopes: 'probes:read' }, '/scopes'],
      ['no name', { name: undefined }, '/name'],
      ['an empty name', { name: '' }, '/name'],
      ['a name of 101 characters', { name: 'x'.repeat(101) }, '/name'],
      ['a name with NUL', { name: 'a\0' }, '/name'],
      ['a name of two lines', { name: 'a\r\nb' }, '/name'],
      ['a name with an escape', { name: '\u001b[31mred' }, '/name'],
      ['a name that nobody sees', { name: ' \u200b' }, '/name'],
      ['a time that has passed', { expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
      ['a time more than ten years away', { expiresAt: inDays(3660) }, '/expiresAt'],
      ['a time without a zone', { expiresAt: '2030-01-01T00:00:00' }, '/expiresAt'],
      ['a time that is a number', { expiresAt: 1_900_000_000 }, '/expiresAt'],
      ['an owner', { userId: 'x' }, '/userId'],
      ['a key', { key: 'mine' }, '/key'],
    ])('refuses %s', async (_what, fields, pointer) => {
      const answer = await make(fields);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toEqual([{ pointer, detail: expect.any(String) }]);
    });

    it('refuses admin scopes to an administrator too', async () => {
      const admin = await administer(await context.server.administrator());
      const answer = await admin.post('/v1/api-keys', { name: 'x', scopes: ['admin:users'] });
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
    });

    it.each(signIns)(
      '[V7.5.3] needs a recent sign-in by $mode, which a refreshed token is not',
      async ({ of, scheme }) => {
        const client = await of(ada);
        await context.server.clock.advance('9m');
        expect((await client.post('/v1/api-keys', { name: 'x', scopes: ['probes:read'] })).status).toBe(201);
        await context.server.clock.advance('2m');
        const late = await refreshed(client);
        const answer = await late.post('/v1/api-keys', { name: 'x', scopes: ['probes:read'] });
        expect(answer).toMatchObject({ status: 401, problem: 'insufficient-user-authentication' });
        expect(answer.challenges).toBe(
          `${scheme} realm="api", error="insufficient_user_authentication", max_age="600"`,
        );
      },
    );

    it('[V2.3.2] refuses the 101st key that works, also in a race', async () => {
      const owner = await context.server.person();
      const client = await signIn(owner);
      await insertKeys(context.server, owner.id, 20, `now() - interval '1 day'`); // those that are over do not count
      await insertKeys(context.server, owner.id, 97);
      const some = () => client.post('/v1/api-keys', { name: 'x', scopes: ['probes:read'] });
      const answers = await atOnce(Array(6).fill(some));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
      const refused = answers.filter(({ status }) => status === 409);
      expect(refused.map(({ problem }) => problem)).toEqual(Array(3).fill('too-many-api-keys'));

      const [made] = answers.filter(({ status }) => status === 201);
      await client.delete(`/v1/api-keys/${made!.body.id}`);
      expect((await some()).status).toBe(201);
    });
  });

  describe('GET /v1/api-keys', () => {
    it('[V14.2.6] lists keys that are not revoked, newest first, in pages, without the key itself', async () => {
      const owner = await context.server.person();
      const client = await signIn(owner);
      const made: string[] = [];
      for (let i = 0; i < 5; i += 1) {
        const fields = { name: `Number ${i}`, scopes: ['probes:read'], expiresAt: inDays(1) };
        made.push((await client.post('/v1/api-keys', fields)).body.id);
      }
      await client.delete(`/v1/api-keys/${made.splice(2, 1)[0]}`);
      const first = (await client.get('/v1/api-keys?limit=3')).body;
      const second = (await client.get(`/v1/api-keys?limit=3&cursor=${first.nextCursor}`)).body;
      const items = [...first.items, ...second.items];
      expect(items.map(({ id }) => id)).toEqual(made.toReversed());
      expect(second).toMatchObject({ items: [expect.anything()], nextCursor: null });
      for (const item of items) expect(item).not.toHaveProperty('key');
      await context.server.clock.advance('24h');
      const later = await (await signIn(owner)).get('/v1/api-keys');
      expect(later.body.items).toHaveLength(4);
    });

    it('refuses an unknown parameter', async () => {
      const answer = await session.get('/v1/api-keys?revoked=true');
      expect(answer.body.errors).toEqual([{ pointer: '/revoked', detail: expect.any(String) }]);
    });
  });

  it('[V8.2.2] answer 404 to everybody but their owner', async () => {
    const { id } = (await make()).body;
    const other = await signIn(await context.server.person());
    for (const [method, body] of [['GET'], ['PATCH', { name: 'Mine now' }], ['DELETE']] as const)
      expect(await other.call(method, `/v1/api-keys/${id}`, { body })).toMatchObject({
        status: 404,
        problem: 'not-found',
      });
    expect((await session.get(`/v1/api-keys/${id}`)).body.name).toBe('Nightly import');
  });

  it('refuse an invalid id with 400', async () => {
    for (const [method, body] of [['GET'], ['PATCH', { name: 'x' }], ['DELETE']] as const)
      expect((await session.call(method, '/v1/api-keys/all', { body })).status).toBe(400);
  });

  describe('PATCH /v1/api-keys/:id', () => {
    it('removes scopes at once', async () => {
      const key = await wide();
      expect((await key.get('/v1/users/me')).status).toBe(200);
      const answer = await narrow(key.id, { scopes: ['probes:read', 'probes:write'] });
      expect(answer).toMatchObject({ status: 200, body: { scopes: ['probes:read', 'probes:write'] } });
      expect(answer.body).not.toHaveProperty('key');
      expect(await key.get('/v1/users/me')).toMatchObject({
        status: 403,
        problem: 'insufficient-scope',
      });
      expect((await key.get('/v1/probes')).status).toBe(200);
    });

    it('sets an expiry, or an earlier one', async () => {
      const key = await wide();
      for (const days of [30, 2]) {
        const expiresAt = inDays(days);
        expect((await narrow(key.id, { expiresAt })).body).toMatchObject({ expiresAt });
      }
      await context.server.clock.advance('2d');
      expect((await key.get('/v1/probes/principal')).status).toBe(401);
    });

    it('needs no recent sign-in', async () => {
      const key = await wide();
      await context.server.clock.advance('11m');
      expect((await narrow(key.id, { scopes: ['probes:read'] })).status).toBe(200);
    });

    it('raises the revision only if it narrows the key', async () => {
      const key = await wide();
      const soon = inDays(1);
      for (const [body, revision] of [
        [{ name: 'Another name' }, 1],
        [{ scopes: ['profile:read', 'probes:write', 'probes:read'] }, 1],
        [{ scopes: ['profile:read', 'probes:write'] }, 2],
        [{ scopes: ['profile:read', 'probes:write'], name: 'A third' }, 2],
        [{ expiresAt: soon }, 3],
        [{ expiresAt: soon }, 3],
        [{ expiresAt: inDays(0.5), scopes: ['profile:read'] }, 4],
        [{ scopes: ['probes:read'] }, 4], // refused
      ] as const) {
        await narrow(key.id, body);
        expect({ body, revision: (await row(key.id)).revision }).toEqual({ body, revision });
      }
      expect(await row(key.id)).toMatchObject({ name: 'A third', scopes: ['profile:read'] });
    });

    it.each<[string, unknown, string[]]>([
      ['a scope that the key lacks', { scopes: ['probes:read', 'api-keys:read'] }, ['/scopes']],
      ['a later expiry', { expiresAt: inDays(20) }, ['/expiresAt']],
      ['both', { expiresAt: inDays(20), scopes: ['profile:read'] }, ['/scopes', '/expiresAt']],
      ['no expiry any more', { expiresAt: null }, ['/expiresAt']],
      ['an expiry that has passed', { expiresAt: '2020-01-01T00:00:00Z' }, ['/expiresAt']],
      ['account:security', { scopes: ['account:security'] }, ['/scopes/0']],
      ['no scope', { scopes: [] }, ['/scopes']],
      ['an empty name', { name: '' }, ['/name']],
      ['an unknown field', { revision: 0 }, ['/revision']],
      ['an empty body', {}, ['']],
      ['no body', undefined, ['']],
    ])('refuses %s, and changes nothing', async (_what, body, pointers) => {
      const key = await apiKeyOf(ada, ['probes:read', 'probes:write'], { expiresAt: inDays(10) });
      const before = await row(key.id);
      const change =
        typeof body === 'object' && Object.keys(body!).length > 0 ? { name: 'New', ...body } : body;
      const answer = await narrow(key.id, change);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(pointers);
      expect(await row(key.id)).toEqual(before);
    });

    it('never widens in a race', async () => {
      const key = await wide();
      const narrower = [['probes:read'], ['probes:read', 'probes:write']];
      await Promise.all([...narrower, ...narrower, ...narrower].map((scopes) => narrow(key.id, { scopes })));
      expect((await row(key.id)).scopes).toEqual(['probes:read']);
    });
  });

  describe('DELETE /v1/api-keys/:id', () => {
    it('ends a key at once', async () => {
      const key = await apiKeyOf(ada, ['probes:read']);
      const path = `/v1/api-keys/${key.id}`;
      expect((await key.get('/v1/probes/principal')).status).toBe(200);
      expect(await session.delete(path)).toMatchObject({ status: 204, body: undefined });
      expect(await key.get('/v1/probes/principal')).toMatchObject({
        status: 401,
        problem: 'invalid-credential',
      });
      for (const [method, body] of [['GET'], ['PATCH', { name: 'x' }], ['DELETE']] as const)
        expect((await session.call(method, path, { body })).status).toBe(404);
    });

    it('keeps other keys', async () => {
      const [one, two] = [await apiKeyOf(ada, ['probes:read']), await apiKeyOf(ada, ['probes:read'])];
      await session.delete(`/v1/api-keys/${one.id}`);
      expect((await two.get('/v1/probes/principal')).status).toBe(200);
    });
  });

  // room: tokens
  it.each(tokens)('need scopes of their own of a $mode', async ({ of }) => {
    const { id } = (await make()).body;
    const reader = await of(ada, { scope: 'api-keys:read' });
    const writer = await of(ada, { scope: 'api-keys:write' });
    for (const [client, method, path, status] of [
      [reader, 'GET', '/v1/api-keys', 200],
      [reader, 'GET', `/v1/api-keys/${id}`, 200],
      [reader, 'POST', '/v1/api-keys', 403],
      [reader, 'PATCH', `/v1/api-keys/${id}`, 403],
      [reader, 'DELETE', `/v1/api-keys/${id}`, 403],
      [writer, 'GET', '/v1/api-keys', 403],
      [writer, 'GET', `/v1/api-keys/${id}`, 403],
      [writer, 'DELETE', `/v1/api-keys/${id}`, 204],
    ] as const)
      expect([method, path, (await client.call(method, path)).status]).toEqual([method, path, status]);
  });
  // /room
});
