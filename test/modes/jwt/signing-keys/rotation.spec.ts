import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HousekeepingService } from '../../../../src/platform/housekeeping/housekeeping.service.js';
import { createDatabase, type TestDatabase } from '../../../support/databases.js';
import { jwtOf, type TokenClient } from '../../../support/modes/jwt.js';
import { type SessionClient, sessionOf } from '../../../support/modes/session.js';
import { Person } from '../../../support/person.js';
import { TestServer } from '../../../support/server.js';
import { until } from '../../../support/until.js';

interface Key {
  kid: string;
  algorithm: string;
  status: string;
  createdAt: string;
  retiredAt: string | null;
}

const PATH = '/v1/admin/signing-keys';

const headerOf = (token: string): { kid: string; alg: string } =>
  JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString());
const kidOf = ({ accessToken }: TokenClient): string => headerOf(accessToken).kid;

/** Asks again until it is so: a notification takes milliseconds, and a machine may be slow. */
const eventually = <T>(ask: () => Promise<T>, expected: T): Promise<void> =>
  until(async () => (await ask()) === expected);

/** Somebody who is known everywhere, at this node. */
const on = (node: TestServer, { id, email, password }: Person) =>
  new Person(node.url, node.secrets, id, email, password);

/** Nodes on one database, with a person and an administrator whom all of them know. */
function useNodes(count: number, env: Record<string, string> = {}) {
  const nodes: TestServer[] = [];
  let database: TestDatabase;
  let ada: Person;
  let admin: Person;
  const start = async (more: Record<string, string> = {}) => {
    const node = await TestServer.start({ database, env: { ...env, ...more } });
    nodes.push(node);
    return node;
  };

  beforeAll(async () => {
    database = await createDatabase();
    for (let i = 0; i < count; i += 1) await start();
    ada = await nodes[0]!.person();
    admin = await nodes[0]!.administrator();
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop();
    await database.drop();
  });

  return {
    nodes,
    start,
    token: (node: TestServer): Promise<TokenClient> => jwtOf(on(node, ada)),
    admin: (node: TestServer): Promise<SessionClient> => sessionOf(on(node, admin)),
    advance: (duration: string) => Promise.all(nodes.map(({ clock }) => clock.advance(duration))),
    statusOn: async (node: TestServer, { accessToken }: TokenClient): Promise<number> =>
      (await node.anonymous.with({ Authorization: `Bearer ${accessToken}` }).get('/v1/probes/principal'))
        .status,
    published: async (node: TestServer): Promise<string[]> =>
      (await node.anonymous.get('/.well-known/jwks.json')).body.keys.map(({ kid }: Key) => kid),
    keys: async (): Promise<Key[]> => {
      const rows = await nodes[0]!.query('SELECT * FROM signing_keys ORDER BY created_at, status');
      return rows;
    },
  };
}

const withStatus = (keys: Key[], status: string): string => keys.find((key) => key.status === status)!.kid;

describe('GET /v1/admin/signing-keys', () => {
  const { nodes, admin } = useNodes(1);

  it('lists the keys, and no part of them', async () => {
    const { status, body } = await (await admin(nodes[0]!)).get(PATH);
    expect(status).toBe(200);
    expect(body.nextCursor).toBeNull();
    expect(body.items.map((key: Key) => key.status).toSorted()).toEqual(['active', 'next']);
    for (const key of body.items)
      expect(key).toEqual({
        kid: expect.stringMatching(/^[\w-]{43}$/),
        algorithm: 'ES256',
        status: expect.any(String),
        createdAt: expect.stringMatching(/Z$/),
        retiredAt: null,
      });
  });

  it('has pages, as every list', async () => {
    const session = await admin(nodes[0]!);
    const all: Key[] = (await session.get(PATH)).body.items;
    const { body: first } = await session.get(`${PATH}?limit=1`);
    expect(first).toEqual({ items: [all[0]], nextCursor: expect.any(String) });
    const { body: last } = await session.get(`${PATH}?limit=1&cursor=${first.nextCursor}`);
    expect(last).toEqual({ items: [all[1]], nextCursor: null });
    for (const query of ['limit=0', 'limit=101', 'cursor=x', 'page=1'])
      expect((await session.get(`${PATH}?${query}`)).problem).toBe('validation-failed');
  });

  it('is for administrators with a recent sign-in, and tokens that asked for the scope', async () => {
    const [node] = nodes as [TestServer];
    const session = await sessionOf(await node.person());
    const root = await node.administrator();
    const old = await sessionOf(root);
    const asked = await jwtOf(root, { scope: 'admin:signing-keys' });
    expect((await asked.get(PATH)).status).toBe(200);
    for (const [method, path] of [
      ['GET', PATH],
      ['POST', PATH],
      ['DELETE', `${PATH}/any`],
    ] as const) {
      expect((await session.call(method, path)).problem).toBe('insufficient-scope');
      expect((await (await jwtOf(root)).call(method, path)).problem).toBe('insufficient-scope');
      await node.clock.advance('11m');
      expect((await old.call(method, path)).problem).toBe('insufficient-user-authentication');
      await node.clock.reset();
    }
  });
});

describe('POST /v1/admin/signing-keys', () => {
  const { nodes, admin, token, statusOn, published, keys } = useNodes(3);

  it('makes the next key sign, on every node; the one before goes on verifying', async () => {
    const [a, b, c] = nodes as [TestServer, TestServer, TestServer];
    const before = await keys();
    const old = await Promise.all(nodes.map((node) => token(node)));
    const { status, body } = await (await admin(a)).post(PATH);
    expect(status).toBe(201);
    expect(body.items.map((key: Key) => key.status).toSorted()).toEqual(['active', 'next', 'retired']);

    const next = withStatus(before, 'next');
    for (const node of [a, b, c]) await eventually(async () => kidOf(await token(node)), next);
    for (const node of nodes) {
      for (const one of old) expect(await statusOn(node, one)).toBe(200);
      expect(await published(node)).toEqual(
        expect.arrayContaining([withStatus(before, 'active'), next, withStatus(await keys(), 'next')]),
      );
    }
    expect(await a.entries()).toContainEqual(
      expect.objectContaining({ event: 'signing-key.rotated', active: next, by: expect.any(String) }),
    );
  });

  it('leaves one key that signs and one next, of two administrators who ask at once', async () => {
    const [a, b, c] = nodes as [TestServer, TestServer, TestServer];
    const old = await token(c);
    const clients = [await admin(a), await admin(b)];
    const answers = await Promise.all(clients.map((client) => client.post(PATH)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect((await keys()).map((key) => key.status).toSorted()).toEqual([
      'active',
      'next',
      'retired',
      'retired',
      'retired',
    ]);
    for (const node of nodes) expect(await statusOn(node, old)).toBe(200);
  });

  it('costs nobody a refused request, however many are under way', async () => {
    const administrator = await admin(nodes[0]!);
    const seen = { requests: 0, refused: 0, rotated: false, kids: new Set<string>() };
    /** Uses a token on one node after the other and refreshes it, until some time after the rotation. */
    const work = async (node: TestServer) => {
      let { accessToken, refreshToken } = await token(node);
      for (let after = 0; after < 5; after += seen.rotated ? 1 : 0) {
        seen.kids.add(headerOf(accessToken).kid);
        seen.requests += 1;
        const other = nodes[seen.requests % nodes.length]!;
        const used = await other.anonymous
          .with({ Authorization: `Bearer ${accessToken}` })
          .get('/v1/probes/principal');
        const refreshed = await node.anonymous.post('/v1/tokens/refresh', { refreshToken });
        if (used.status !== 200 || refreshed.status !== 200) seen.refused += 1;
        ({ access_token: accessToken, refresh_token: refreshToken } = refreshed.body);
      }
    };
    const working = nodes.flatMap((node) => [work(node), work(node), work(node)]);
    await eventually(async () => seen.requests > 20, true);
    expect((await administrator.post(PATH)).status).toBe(201);
    seen.rotated = true;
    await Promise.all(working);
    expect(seen.refused).toBe(0);
    expect(seen.kids.size).toBe(2);
  });
});

describe('a rotation by the schedule', () => {
  const { nodes, advance, keys, token } = useNodes(2, { SIGNING_KEY_ROTATION: '30d' });
  const housekeeping = () =>
    Promise.all(nodes.map((node) => node.provider<HousekeepingService>('HousekeepingService').run()));

  it('is done when the active key has signed for long enough, by one node', async () => {
    const before = await keys();
    await advance('29d');
    await housekeeping();
    expect(await keys()).toEqual(before);
    await advance('2d');
    await housekeeping();
    const after = await keys();
    expect(after).toHaveLength(3);
    expect(withStatus(after, 'active')).toBe(withStatus(before, 'next'));
    await eventually(async () => kidOf(await token(nodes[1]!)), withStatus(before, 'next'));
    const entries = await Promise.all(nodes.map((node) => node.entries()));
    const logged = entries.flat().filter(({ event }) => event === 'signing-key.rotated');
    expect(logged).toEqual([expect.objectContaining({ by: 'schedule' })]);
  });

  it('is due again a whole period later, not when the key that signs was made long ago', async () => {
    const before = await keys();
    await advance('29d');
    await housekeeping();
    expect((await keys()).filter(({ status }) => status !== 'retired')).toEqual(
      before.filter(({ status }) => status !== 'retired'),
    );
    await advance('2d');
    await housekeeping();
    expect(withStatus(await keys(), 'active')).toBe(withStatus(before, 'next'));
  });
});

describe('DELETE /v1/admin/signing-keys/:kid', () => {
  const { nodes, admin, token, statusOn, published, keys } = useNodes(2);

  it('ends all tokens of the active key on every node, and the next one signs', async () => {
    const [a, b] = nodes as [TestServer, TestServer];
    const before = await keys();
    const [active, next] = [withStatus(before, 'active'), withStatus(before, 'next')];
    const stolen = await token(a);
    for (const node of nodes) expect(await statusOn(node, stolen)).toBe(200);

    expect((await (await admin(a)).delete(`${PATH}/${active}`)).status).toBe(204);
    expect(await statusOn(a, stolen)).toBe(401);
    await eventually(() => statusOn(b, stolen), 401);
    for (const node of nodes) {
      const renewed = await token(node);
      expect(kidOf(renewed)).toBe(next);
      for (const other of nodes) expect(await statusOn(other, renewed)).toBe(200);
      expect(await published(node)).not.toContain(active);
    }
    expect((await keys()).map(({ status }) => status)).toEqual(['active', 'next']);
    expect(await a.entries()).toContainEqual(
      expect.objectContaining({ event: 'signing-key.revoked', kid: active, by: expect.any(String) }),
    );
  });

  it('replaces the next key too, which has signed nothing', async () => {
    const [a] = nodes as [TestServer];
    const before = await keys();
    const next = withStatus(before, 'next');
    const good = await token(a);
    expect((await (await admin(a)).delete(`${PATH}/${next}`)).status).toBe(204);
    const after = await keys();
    expect(withStatus(after, 'active')).toBe(withStatus(before, 'active'));
    expect(withStatus(after, 'next')).not.toBe(next);
    expect(await statusOn(a, good)).toBe(200);
  });

  it('answers 404 for a kid that is unknown, or none', async () => {
    const client = await admin(nodes[0]!);
    const before = await keys();
    for (const kid of ['A'.repeat(43), 'unknown', '%00', withStatus(before, 'active').toLowerCase() + 'x'])
      expect(await client.delete(`${PATH}/${kid}`)).toMatchObject({ status: 404, problem: 'not-found' });
    expect(await keys()).toEqual(before);
  });
});

describe('the published keys', () => {
  const { nodes, admin, published, keys } = useNodes(1);

  it('begin with the one that signs, and have another ETag after each change', async () => {
    const [node] = nodes as [TestServer];
    const etags = new Set<string | null>();
    const session = await admin(node);
    for (let round = 0; round < 3; round += 1) {
      const [first, second, ...retired] = await published(node);
      expect([first, second]).toEqual([withStatus(await keys(), 'active'), withStatus(await keys(), 'next')]);
      expect(retired).toHaveLength(round);
      etags.add((await node.anonymous.get('/.well-known/jwks.json')).headers.get('etag'));
      await session.post(PATH);
      await eventually(async () => (await published(node))[0], second);
    }
    expect(etags.size).toBe(3);
  });
});

describe('another JWT_ALGORITHM', () => {
  const { nodes, start, admin, token, statusOn, keys } = useNodes(1);

  it('retires the keys of the one before at the next rotation, and no token is refused', async () => {
    const [before] = nodes as [TestServer];
    const old = await token(before);
    const after = await start({ JWT_ALGORITHM: 'EdDSA' });
    const renewed = await token(after);
    expect(headerOf(renewed.accessToken).alg).toBe('EdDSA');
    for (const node of nodes) {
      expect(await statusOn(node, old)).toBe(200);
      await eventually(() => statusOn(node, renewed), 200);
    }

    expect((await (await admin(after)).post(PATH)).status).toBe(201);
    const kinds = (await keys()).map(({ algorithm, status }) => `${algorithm} ${status}`);
    expect(kinds.toSorted()).toEqual([
      'ES256 retired',
      'ES256 retired',
      'EdDSA active',
      'EdDSA next',
      'EdDSA retired',
    ]);
    for (const node of nodes) for (const one of [old, renewed]) expect(await statusOn(node, one)).toBe(200);
    // The node that still has the old configuration signs with what there is.
    await eventually(async () => headerOf((await token(before)).accessToken).alg, 'EdDSA');
    expect(await statusOn(after, await token(before))).toBe(200);
  });
});
