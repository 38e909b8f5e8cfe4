import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { insertKeys } from '../../support/many-keys.js';
import type { Client } from '../../support/client.js';
import {
  refreshed,
  signIn,
  signIns,
  // room: tokens
  tokens,
  // /room
} from '../../support/modes/any.js';
import { apiKeyOf, KeyClient } from '../../support/modes/api-key.js';
// room: oauth
import { exchange } from '../../support/modes/machine.js';
// /room
import type { Person } from '../../support/person.js';
import { useServer } from '../../support/server.js';

const HOUR_S = 3600;
const SCOPES = ['probes:read', 'probes:write'];

describe('POST /v1/api-keys/:id/rotation', () => {
  const context = useServer();
  let ada: Person;
  let session: Client;
  let old: KeyClient;
  beforeAll(async () => {
    ada = await context.server.person();
  });
  beforeEach(async () => {
    await context.server.clock.reset();
    session = await signIn(ada);
    old = await apiKeyOf(ada, SCOPES);
  });

  const rotate = (key: KeyClient, fields?: object) => session.post(`/v1/api-keys/${key.id}/rotation`, fields);
  const rotated = async (key: KeyClient, fields?: object) =>
    KeyClient.from(context.server.url, context.server.secrets, await rotate(key, fields));
  const show = async (key: KeyClient) => (await session.get(`/v1/api-keys/${key.id}`)).body;
  const works = async (...keys: KeyClient[]) =>
    Promise.all(keys.map(async (key) => (await key.get('/v1/probes')).status === 200));
  const secondsUntil = async (time: string) =>
    Math.round((Date.parse(time) - (await context.server.clock.now()).getTime()) / 1000);

  it('creates a key with the same rights, and keeps the old one until the overlap ends', async () => {
    const bounds = {
      resources: ['probes/01890000-0000-7000-8000-000000000000'],
      allowedCidrs: ['127.0.0.0/8', '::1/128'],
      rateLimit: { requests: 50, windowSeconds: 5 },
    };
    const bound = await apiKeyOf(ada, SCOPES, { name: 'Import', ...bounds });
    const answer = await rotate(bound, { overlapSeconds: HOUR_S });
    const { key, ...view } = answer.body;
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`/v1/api-keys/${view.id}`);
    expect(key).toMatch(/^nk_test_[A-Za-z0-9]{49}$/);
    expect(key).not.toBe(bound.key);
    expect(view).toMatchObject({
      name: 'Import',
      scopes: SCOPES,
      ...bounds,
      prefix: key.slice(0, 12),
      last4: key.slice(-4),
      lineageId: bound.id,
      rotatedTo: null,
      expiresAt: null,
      lastUsedAt: null,
    });
    expect((await session.get(`/v1/api-keys/${view.id}`)).body).toEqual(view);
    const before = await show(bound);
    expect(before).toMatchObject({ lineageId: bound.id, rotatedTo: view.id });
    expect(Math.abs((await secondsUntil(before.expiresAt)) - HOUR_S)).toBeLessThan(60);
  });

  it('lets both work within the overlap, and the new one alone after it', async () => {
    const fresh = await rotated(old, { overlapSeconds: HOUR_S });
    expect(await works(old, fresh)).toEqual([true, true]);
    await context.server.clock.advance('59m');
    expect(await works(old, fresh)).toEqual([true, true]);
    await context.server.clock.advance('2m');
    expect(await works(old, fresh)).toEqual([false, true]);
  });

  it('overlaps for a day unless told, by a week at most, and not at all for 0', async () => {
    await rotated(old);
    expect(Math.abs((await secondsUntil((await show(old)).expiresAt)) - 24 * HOUR_S)).toBeLessThan(60);
    const other = await apiKeyOf(ada, SCOPES);
    for (const overlapSeconds of [-1, 7 * 24 * HOUR_S + 1, 1.5, '60', null]) {
      const { status, body } = await rotate(other, { overlapSeconds });
      expect([overlapSeconds, status, body.errors?.[0].pointer]).toEqual([
        overlapSeconds,
        400,
        '/overlapSeconds',
      ]);
    }
    const fresh = await rotated(other, { overlapSeconds: 0 });
    expect(await works(other, fresh)).toEqual([false, true]);
  });

  it('ends at once without an overlap, also on a node whose clock is slow', async () => {
    const fresh = await rotated(old, { overlapSeconds: 0 });
    await context.server.clock.set(-4_000);
    expect(await works(old, fresh)).toEqual([false, true]);
    await context.server.clock.reset();
  });

  // room: oauth
  it('ends the tokens of the old key together with it', async () => {
    const token = await exchange(old);
    const status = async () => (await token.get('/v1/probes')).status;
    expect(await status()).toBe(200);
    const fresh = await rotated(old, { overlapSeconds: 60 });
    expect(await status()).toBe(200);
    expect((await exchange(old)).claims['exp']).toBeLessThanOrEqual(
      Math.ceil((await context.server.clock.now()).getTime() / 1000) + 60,
    );
    await context.server.clock.advance('61s');
    expect(await status()).toBe(401);
    expect((await (await exchange(fresh)).get('/v1/probes')).status).toBe(200);
  });
  // /room

  it('ends early if the old key is deleted, and is undone if the new one is deleted', async () => {
    const fresh = await rotated(old);
    expect((await session.delete(`/v1/api-keys/${old.id}`)).status).toBe(204);
    expect(await works(old, fresh)).toEqual([false, true]);
    const other = await apiKeyOf(ada, SCOPES);
    const second = await rotated(other);
    await session.delete(`/v1/api-keys/${second.id}`);
    expect(await works(other, second)).toEqual([true, false]);
  });

  it('goes on from the old key where the new one is lost, and no longer than that would have', async () => {
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
    const mortal = await apiKeyOf(ada, SCOPES, { expiresAt: inDays(10) });
    const lost = await rotated(mortal, { overlapSeconds: HOUR_S });
    const { expiresAt } = await show(mortal);
    const narrower = inDays(5);
    await session.patch(`/v1/api-keys/${lost.id}`, { expiresAt: narrower });
    await session.delete(`/v1/api-keys/${lost.id}`);
    const next = await rotated(mortal);
    expect(await works(mortal, lost, next)).toEqual([true, false, true]);
    expect(await show(next)).toMatchObject({
      lineageId: mortal.id,
      rotatedTo: null,
      scopes: SCOPES,
      expiresAt: narrower,
    });
    // The overlap that was said first is not made longer.
    expect(await show(mortal)).toMatchObject({ rotatedTo: next.id, expiresAt });
    expect(await rotate(mortal)).toMatchObject({ status: 409, problem: 'rotation-conflict' });

    await session.patch(`/v1/api-keys/${next.id}`, {
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    });
    await context.server.clock.advance('61s');
    await session.delete(`/v1/api-keys/${next.id}`);
    expect(await works(mortal)).toEqual([true]);
    expect(await rotate(mortal)).toMatchObject({ status: 409, problem: 'rotation-conflict' });
  });

  it('never lets the new key, or the old one, live longer than the old one would have', async () => {
    const expiresAt = new Date(Date.now() + HOUR_S * 1000).toISOString();
    const mortal = await apiKeyOf(ada, SCOPES, { expiresAt });
    const fresh = await rotated(mortal);
    expect([(await show(mortal)).expiresAt, (await show(fresh)).expiresAt]).toEqual([expiresAt, expiresAt]);
    await context.server.clock.advance('61m');
    expect(await works(mortal, fresh)).toEqual([false, false]);
  });

  it('lets at most two keys of a line work at the same time', async () => {
    const conflict = { status: 409, problem: 'rotation-conflict' };
    const second = await rotated(old);
    expect(await rotate(old)).toMatchObject(conflict);
    expect(await rotate(second)).toMatchObject(conflict);
    await session.delete(`/v1/api-keys/${old.id}`);
    const third = await rotated(second, { overlapSeconds: 60 });
    expect(await rotate(third)).toMatchObject(conflict);
    await context.server.clock.advance('61s');
    const fourth = await rotated(third);
    expect(await works(old, second, third, fourth)).toEqual([false, false, true, true]);
    const lineage = (await session.get('/v1/api-keys?limit=100')).body.items.filter(
      ({ lineageId }: { lineageId: string }) => lineageId === old.id,
    );
    expect(lineage.map(({ id, rotatedTo }: any) => [id, rotatedTo])).toEqual([
      [fourth.id, null],
      [third.id, fourth.id],
      [second.id, third.id],
    ]);
  });

  it('[V2.3.4] makes one key of ten rotations at the same moment', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => rotate(old)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9);
  });

  it('refuses a key that has expired, is deleted or belongs to another owner', async () => {
    const mortal = await apiKeyOf(ada, SCOPES, { expiresAt: new Date(Date.now() + 60_000).toISOString() });
    await context.server.clock.advance('61s');
    expect(await rotate(mortal)).toMatchObject({ status: 409, problem: 'rotation-conflict' });
    await context.server.clock.reset();
    await session.delete(`/v1/api-keys/${mortal.id}`);
    expect((await rotate(mortal)).status).toBe(404);
    const theirs = await apiKeyOf(await context.server.person(), SCOPES);
    expect((await rotate(theirs)).status).toBe(404);
    expect(await works(theirs)).toEqual([true]);
  });

  // room: tokens
  it.each(tokens)('needs all scopes of the key of a $mode', async ({ of }) => {
    const narrow = await of(ada, { scope: 'api-keys:write probes:read' });
    const path = `/v1/api-keys/${old.id}/rotation`;
    const refused = await narrow.post(path);
    expect(refused).toMatchObject({ status: 403, problem: 'insufficient-scope' });
    expect(refused.body.missingScopes).toEqual(['probes:write']);
    expect(refused.challenges).toBe('Bearer realm="api", error="insufficient_scope", scope="probes:write"');
    const wide = await of(ada, { scope: `api-keys:write ${SCOPES.join(' ')}` });
    expect((await wide.post(path)).status).toBe(201);
  });
  // /room

  it.each(signIns)('needs a recent sign-in by $mode', async ({ of }) => {
    const client = await of(ada);
    await context.server.clock.advance('11m');
    expect(await (await refreshed(client)).post(`/v1/api-keys/${old.id}/rotation`)).toMatchObject({
      status: 401,
      problem: 'insufficient-user-authentication',
    });
  });

  it('counts as one key with the key that it replaces', async () => {
    const owner = await context.server.person();
    const client = await signIn(owner);
    const key = await apiKeyOf(owner, SCOPES);
    await insertKeys(context.server, owner.id, 98);
    const make = () => client.post('/v1/api-keys', { name: 'x', scopes: ['probes:read'] });
    const successor = await client.post(`/v1/api-keys/${key.id}/rotation`);
    const { status, body: another } = await make();
    expect([successor.status, status, (await make()).status]).toEqual([201, 201, 409]);
    // At the limit too a key can be rotated.
    expect((await client.post(`/v1/api-keys/${another.id}/rotation`)).status).toBe(201);
    // The line is there for as long as one of its keys works: to delete the other makes no room.
    await client.delete(`/v1/api-keys/${successor.body.id}`);
    expect([(await key.get('/v1/probes')).status, (await make()).status]).toEqual([200, 409]);
    await client.delete(`/v1/api-keys/${key.id}`);
    expect((await make()).status).toBe(201);
  });

  it('fails no request of a client that keeps calling', async () => {
    const statuses: number[] = [];
    let current = old;
    const calling = new AbortController();
    const callers = Array.from({ length: 4 }, async () => {
      while (!calling.signal.aborted) statuses.push((await current.get('/v1/probes')).status);
    });
    for (let round = 0; round < 3; round += 1) {
      const fresh = await rotated(current, { overlapSeconds: 600 });
      const before = current;
      const called = statuses.length;
      while (statuses.length < called + 20) await current.get('/v1/probes');
      current = fresh;
      // Calls under way still carry the old key: it goes when they are done.
      const switched = statuses.length;
      while (statuses.length < switched + 20) await current.get('/v1/probes');
      await session.delete(`/v1/api-keys/${before.id}`);
    }
    calling.abort();
    await Promise.all(callers);
    expect(statuses.length).toBeGreaterThan(100);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});
