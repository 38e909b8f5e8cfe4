import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from '../../support/client.js';
import {
  anyone,
  credentials,
  // room: users
  signIns,
  // /room
} from '../../support/modes/any.js';
// room: own-api-keys
import { apiKeyOf } from '../../support/modes/api-key.js';
// /room
import { useServer } from '../../support/server.js';

const SCOPES = ['orders:read', 'orders:write'];
/** The kinds of credentials whose scopes can be chosen. */
const NARROW = credentials.filter(({ mode }) => mode !== 'session');

const place = async (client: Client, item = 'Tea') =>
  (await client.post('/v1/orders', { item, quantity: 2 })).body as { id: string };

describe('orders', () => {
  const context = useServer();
  let client: Client;
  beforeAll(async () => {
    client = await anyone(context.server, SCOPES);
  });

  const stranger = () => anyone(context.server, SCOPES);

  describe.each(credentials)('by $name', ({ of }) => {
    it('are placed, shown, listed and deleted', async () => {
      const client = await of(context.server, SCOPES);
      const placed = await client.post('/v1/orders', { item: 'Tea', quantity: 2 });
      expect(placed.status).toBe(201);
      const order = {
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
        item: 'Tea',
        quantity: 2,
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      };
      expect(placed.body).toEqual(order);

      const path = placed.headers.get('location')!;
      expect(path).toBe(`/v1/orders/${placed.body.id}`);
      expect(await client.get(path)).toMatchObject({ status: 200, body: placed.body });
      const { body } = await client.get('/v1/orders?limit=1');
      expect(body.items).toEqual([placed.body]);

      expect(await client.delete(path)).toMatchObject({ status: 204, body: undefined });
      expect(await client.delete(path)).toMatchObject({ status: 404, problem: 'not-found' });
      expect(await client.get(path)).toMatchObject({ status: 404, problem: 'not-found' });
    });
  });

  // room: users
  it('are the same by every credential of a person', async () => {
    const ada = await context.server.person();
    const clients = await Promise.all(signIns.map(({ of }) => of(ada)));
    // room: own-api-keys
    clients.push(await apiKeyOf(ada, SCOPES));
    // /room
    const { id } = await place(clients[0]!);
    for (const one of clients)
      expect(await one.get(`/v1/orders/${id}`)).toMatchObject({ status: 200, body: { id } });
  });
  // /room

  describe('scopes', () => {
    it.each([
      ['GET', '/v1/orders', 'orders:write', 'orders:read'],
      ['POST', '/v1/orders', 'orders:read', 'orders:write'],
      ['GET', '/v1/orders/:id', 'orders:write', 'orders:read'],
      ['DELETE', '/v1/orders/:id', 'orders:read', 'orders:write'],
    ])('refuses %s %s to a credential with %s only', async (method, path, held, missing) => {
      const { id } = await place(client);
      for (const { mode, of } of NARROW) {
        const scheme = mode === 'api-key' ? 'ApiKey' : 'Bearer';
        const body = method === 'POST' ? { item: 'Tea', quantity: 2 } : undefined;
        const narrow = await of(context.server, [held]);
        const answer = await narrow.call(method, path.replace(':id', id), { body });
        expect(answer).toMatchObject({ status: 403, problem: 'insufficient-scope' });
        expect(answer.body.missingScopes).toEqual([missing]);
        expect(answer.challenges).toBe(
          `${scheme} realm="api", error="insufficient_scope", scope="${missing}"`,
        );
      }
      expect((await client.get(`/v1/orders/${id}`)).status).toBe(200);
    });
  });

  describe("somebody else's", () => {
    it('are as if they did not exist', async () => {
      const { id } = await place(client);
      const other = await stranger();
      const unknown = '01900000-0000-7000-8000-000000000000';
      for (const method of ['GET', 'DELETE']) {
        const theirs = await other.call(method, `/v1/orders/${id}`);
        const nobodys = await other.call(method, `/v1/orders/${unknown}`);
        expect(theirs).toMatchObject({ status: 404, problem: 'not-found' });
        expect({ ...theirs.body, instance: '' }).toEqual({ ...nobodys.body, instance: '' });
      }
      expect((await other.get('/v1/orders')).body).toEqual({ items: [], nextCursor: null });
      expect((await client.get(`/v1/orders/${id}`)).status).toBe(200);
    });

    it('do not show through a cursor', async () => {
      for (const item of ['One', 'Two']) await place(client, item);
      const { nextCursor } = (await client.get('/v1/orders?limit=1')).body;
      const other = await stranger();
      const answer = await other.get(`/v1/orders?cursor=${nextCursor}`);
      expect(answer).toMatchObject({ status: 200, body: { items: [], nextCursor: null } });
    });
  });

  it('refuses an id that is none', async () => {
    for (const method of ['GET', 'DELETE'])
      expect(await client.call(method, '/v1/orders/42')).toMatchObject({
        status: 400,
        problem: 'validation-failed',
      });
  });

  describe('GET /v1/orders', () => {
    it('pages through 45, newest first, with no duplicate and no gap', async () => {
      const client = await stranger();
      const items = Array.from({ length: 45 }, (_, i) => `Number ${i}`);
      for (const item of items) await place(client, item);
      const pages: string[][] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const { body } = await client.get(`/v1/orders${cursor && `?cursor=${cursor}`}`);
        pages.push(body.items.map(({ item }: { item: string }) => item));
        // What comes in meanwhile is newer than the page, and shifts nothing.
        if (pages.length === 1) await place(client, 'Meanwhile');
        cursor = body.nextCursor;
      }
      expect(pages.map((page) => page.length)).toEqual([20, 20, 5]);
      expect(pages.flat()).toEqual(items.toReversed());
    });

    it('has no next page behind a last one that is full', async () => {
      const client = await stranger();
      for (const item of ['One', 'Two']) await place(client, item);
      const { body } = await client.get('/v1/orders?limit=2');
      expect([body.items.length, body.nextCursor]).toEqual([2, null]);
    });

    it('takes a limit of 1 to 100', async () => {
      for (const limit of [1, 100]) expect((await client.get(`/v1/orders?limit=${limit}`)).status).toBe(200);
    });

    it.each([
      ['limit=0', '/limit'],
      ['limit=101', '/limit'],
      ['limit=-1', '/limit'],
      ['limit=1.5', '/limit'],
      ['limit=abc', '/limit'],
      ['limit=', '/limit'],
      ['limit=1&limit=2', '/limit'],
      ['cursor=', '/cursor'],
      ['cursor=nonsense', '/cursor'],
      [`cursor=${Buffer.from("' OR true --").toString('base64url')}`, '/cursor'],
      ['cursor=a&cursor=b', '/cursor'],
      ['page=2', '/page'],
      ['userId=01900000-0000-7000-8000-000000000000', '/userId'],
    ])('refuses ?%s', async (query, pointer) => {
      const answer = await client.get(`/v1/orders?${query}`);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toEqual([{ pointer, detail: expect.any(String) }]);
    });
  });

  describe('POST /v1/orders', () => {
    const order = { item: 'Tea', quantity: 2 };
    it.each<[string, unknown, string[]]>([
      ['no item', { quantity: 2 }, ['/item']],
      ['an empty item', { ...order, item: '' }, ['/item']],
      ['an item of 201 characters', { ...order, item: 'x'.repeat(201) }, ['/item']],
      ['an item that is a number', { ...order, item: 7 }, ['/item']],
      ['NUL', { ...order, item: 'Te\0a' }, ['/item']],
      ['a lone surrogate', { ...order, item: 'Te\ud800a' }, ['/item']],
      ['no quantity', { item: 'Tea' }, ['/quantity']],
      ['a quantity of 0', { ...order, quantity: 0 }, ['/quantity']],
      ['a quantity that is a text', { ...order, quantity: '1' }, ['/quantity']],
      ['half a thing', { ...order, quantity: 1.5 }, ['/quantity']],
      ['a quantity of 1,000,000,000', { ...order, quantity: 1e9 }, ['/quantity']],
      ['two faults', { item: '', quantity: 0 }, ['/item', '/quantity']],
      ['an unknown field', { ...order, note: 'x' }, ['/note']],
      ['another owner', { ...order, userId: 'x' }, ['/userId']],
      ['a field that a pointer must escape', { ...order, 'a/b~c': 1 }, ['/a~1b~0c']],
      ['an array', [order], ['']],
      ['a text', '"Tea"', ['']],
      ['null', 'null', ['']],
      ['no body', undefined, ['']],
    ])('refuses %s, and says where', async (_what, body, pointers) => {
      const answer = await client.post('/v1/orders', body);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(pointers);
    });

    it('takes 200 characters of any kind, counted as people count', async () => {
      const item = '🍵'.repeat(200);
      const answer = await client.post('/v1/orders', { item, quantity: 1_000_000 });
      expect(answer).toMatchObject({ status: 201, body: { item, quantity: 1_000_000 } });
    });
  });
});
