import { describe, expect, it } from '@jest/globals';
import { jwtOf } from '../../../support/modes/jwt.js';
import { administer, refreshed, signIn } from '../../../support/modes/any.js';
import type { TestServer } from '../../../support/server.js';
import { eventually, type Key, kidOf, PATH, useNodes, withStatus } from './nodes.js';

describe('GET /v1/admin/signing-keys', () => {
  const { nodes, admin } = useNodes(1);

  it('lists the keys without their key material', async () => {
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

  it('lists in pages', async () => {
    const session = await admin(nodes[0]!);
    const all: Key[] = (await session.get(PATH)).body.items;
    const { body: first } = await session.get(`${PATH}?limit=1`);
    expect(first).toEqual({ items: [all[0]], nextCursor: expect.any(String) });
    const { body: last } = await session.get(`${PATH}?limit=1&cursor=${first.nextCursor}`);
    expect(last).toEqual({ items: [all[1]], nextCursor: null });
    for (const query of ['limit=0', 'limit=101', 'cursor=x', 'page=1'])
      expect((await session.get(`${PATH}?${query}`)).problem).toBe('validation-failed');
  });

  it('needs an administrator with a recent sign-in, and the scope of a token', async () => {
    const [node] = nodes as [TestServer];
    const user = await signIn(await node.person());
    const root = await node.administrator();
    const old = await administer(root);
    const asked = await jwtOf(root, { scope: 'admin:signing-keys' });
    expect((await asked.get(PATH)).status).toBe(200);
    for (const [method, path] of [
      ['GET', PATH],
      ['POST', PATH],
      ['DELETE', `${PATH}/any`],
    ] as const) {
      expect((await user.call(method, path)).problem).toBe('insufficient-scope');
      expect((await (await jwtOf(root)).call(method, path)).problem).toBe('insufficient-scope');
      await node.clock.advance('11m');
      expect((await (await refreshed(old)).call(method, path)).problem).toBe(
        'insufficient-user-authentication',
      );
      await node.clock.reset();
    }
  });
});

describe('DELETE /v1/admin/signing-keys/:kid', () => {
  const { nodes, admin, token, statusOn, published, keys } = useNodes(2);

  it('ends all tokens of the active key on every node, and makes the next key sign', async () => {
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

  it('replaces the next key, which has signed nothing', async () => {
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

  it('answers 404 for an unknown or malformed kid', async () => {
    const client = await admin(nodes[0]!);
    const before = await keys();
    for (const kid of ['A'.repeat(43), 'unknown', '%00', withStatus(before, 'active').toLowerCase() + 'x'])
      expect(await client.delete(`${PATH}/${kid}`)).toMatchObject({ status: 404, problem: 'not-found' });
    expect(await keys()).toEqual(before);
  });
});

describe('the published keys', () => {
  const { nodes, admin, published, keys } = useNodes(1);

  it('start with the active key, and have a new ETag after each change', async () => {
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
