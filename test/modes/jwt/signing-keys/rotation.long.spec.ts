import { describe, expect, it } from '@jest/globals';
import type { HousekeepingService } from '../../../../src/platform/housekeeping/housekeeping.service.js';
import type { TestServer } from '../../../support/server.js';
import { eventually, headerOf, type Key, kidOf, PATH, useNodes, withStatus } from './nodes.js';

describe('POST /v1/admin/signing-keys', () => {
  const { nodes, admin, token, statusOn, published, keys } = useNodes(3);

  it('makes the next key sign on every node, while the old one still verifies', async () => {
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

  it('leaves one active key and one next key if two administrators rotate at once', async () => {
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

  it('refuses no request that is under way', async () => {
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

  it('[V13.3.4] happens after the active key has signed for the period, on one node', async () => {
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

  it('happens again a whole period later, whenever the active key was created', async () => {
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

describe('another JWT_ALGORITHM', () => {
  const { nodes, start, admin, token, statusOn, keys } = useNodes(1);

  it('retires the old keys at the next rotation, and refuses no token', async () => {
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
