import { describe, expect, it } from '@jest/globals';
import { signIn, signIns } from '../../support/modes/any.js';
import { apiKeyOf, KeyClient } from '../../support/modes/api-key.js';
// room: oauth
import { basic, postForm } from '../../support/form.js';
import { exchange } from '../../support/modes/machine.js';
// /room
import { useServer } from '../../support/server.js';
import { until } from '../../support/until.js';

const RATE_LIMITED = { status: 429, problem: 'rate-limited' };
const SCOPES = [
  'probes:read',
  // room: oauth
  'tokens:introspect',
  // /room
];

describe('the rate limit of a key', () => {
  const context = useServer();
  const keyWith = async (requests: number, windowSeconds = 600) =>
    apiKeyOf(await context.server.serviceAccount(), SCOPES, { rateLimit: { requests, windowSeconds } });
  const statuses = async (...calls: Promise<{ status: number }>[]) =>
    (await Promise.all(calls)).map(({ status }) => status);

  it('is in every answer: the limit, what is left, and until when', async () => {
    const key = await keyWith(3);
    const left: (string | null)[] = [];
    for (const [method, path, expected] of [
      ['GET', '/v1/probes', 200],
      ['GET', '/v1/probes/01890000-0000-7000-8000-000000000000', 404],
      ['POST', '/v1/probes', 403],
    ] as const) {
      const { status, headers } = await key.call(method, path);
      expect([path, status]).toEqual([path, expected]);
      expect(headers.get('ratelimit-policy')).toBe('"key";q=3;w=600');
      expect(headers.has('retry-after')).toBe(false);
      left.push(headers.get('ratelimit'));
    }
    const refused = await key.get('/v1/probes');
    expect(refused).toMatchObject(RATE_LIMITED);
    left.push(refused.headers.get('ratelimit'));
    expect(left.map((text) => /^"key";r=(\d+);t=(59\d|600)$/.exec(text ?? '')?.[1])).toEqual([
      '2',
      '1',
      '0',
      '0',
    ]);
    const [, t] = /t=(\d+)/.exec(left.at(-1)!)!;
    expect(refused.headers.get('retry-after')).toBe(t);
    expect(refused.headers.get('ratelimit-policy')).toBe('"key";q=3;w=600');
  });

  it('passes exactly its number of requests, also of a hundred at once', async () => {
    const key = await keyWith(10);
    const answers = await statuses(...Array.from({ length: 100 }, () => key.get('/v1/probes')));
    expect(answers.filter((status) => status === 200)).toHaveLength(10);
    expect(answers.filter((status) => status === 429)).toHaveLength(90);
  });

  it('begins again when the window is over, also after refusals', async () => {
    const key = await keyWith(2, 1);
    const seen = new Set<number>();
    let passed = 0;
    await until(async () => {
      const { status } = await key.get('/v1/probes');
      seen.add(status);
      if (status === 200) passed += 1;
      return passed > 4;
    });
    expect(seen).toEqual(new Set([200, 429]));
  });

  // room: oauth
  it('is shared by the tokens that are exchanged for the key, and counts the exchange', async () => {
    const key = await keyWith(4);
    const [one, two] = [await exchange(key), await exchange(key)];
    expect([(await one.get('/v1/probes')).status, (await two.get('/v1/probes')).status]).toEqual([200, 200]);
    for (const client of [one, two, key]) expect(await client.get('/v1/probes')).toMatchObject(RATE_LIMITED);
    const form = { grant_type: 'client_credentials' };
    const { anonymous } = context.server;
    for (const refused of [
      await postForm(anonymous, '/oauth/token', form, basic(key.id, key.key)),
      await postForm(key, '/oauth/introspect', { token: 'x' }),
    ]) {
      expect([refused.status, refused.body.error]).toEqual([429, 'temporarily_unavailable']);
      expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(refused.headers.get('ratelimit')).toMatch(/^"key";r=0;t=\d+$/);
    }
  });

  // /room

  // room: own-api-keys
  it('is one for all keys of a lineage: a rotation does not double it', async () => {
    const owner = await context.server.person();
    const old = await apiKeyOf(owner, SCOPES, { rateLimit: { requests: 3, windowSeconds: 600 } });
    await old.get('/v1/probes');
    const session = await signIn(owner);
    const answer = await session.post(`/v1/api-keys/${old.id}/rotation`);
    const fresh = KeyClient.from(context.server.url, context.server.secrets, answer);
    expect([(await fresh.get('/v1/probes')).status, (await old.get('/v1/probes')).status]).toEqual([
      200, 200,
    ]);
    for (const key of [old, fresh]) expect(await key.get('/v1/probes')).toMatchObject(RATE_LIMITED);
    expect((await (await apiKeyOf(owner, SCOPES)).get('/v1/probes')).status).toBe(200);
  });

  // /room

  it('is 600 requests in a minute by default', async () => {
    const key = await apiKeyOf(await context.server.serviceAccount(), SCOPES);
    expect((await key.get('/v1/probes')).headers.get('ratelimit-policy')).toBe('"key";q=600;w=60');
  });

  // room: users
  it.each(signIns)('does not limit a $mode', async ({ of }) => {
    const answer = await (await of(await context.server.person())).get('/v1/probes');
    expect([answer.status, answer.headers.has('ratelimit')]).toEqual([200, false]);
  });
  // /room

  it('is not used up from addresses where the key is not allowed', async () => {
    const key = await apiKeyOf(await context.server.serviceAccount(), SCOPES, {
      allowedCidrs: ['192.0.2.0/24'],
      rateLimit: { requests: 1, windowSeconds: 600 },
    });
    for (let i = 0; i < 3; i += 1) {
      const answer = await key.get('/v1/probes');
      expect([answer.status, answer.headers.has('ratelimit')]).toEqual([401, false]);
    }
  });

  // room: own-api-keys
  it.each([
    ['nothing', {}, '/rateLimit/requests'],
    ['no requests', { requests: 0, windowSeconds: 60 }, '/rateLimit/requests'],
    ['half a request', { requests: 0.5, windowSeconds: 60 }, '/rateLimit/requests'],
    ['no window', { requests: 1 }, '/rateLimit/windowSeconds'],
    ['a window of more than a day', { requests: 1, windowSeconds: 86_401 }, '/rateLimit/windowSeconds'],
    ['more', { requests: 1, windowSeconds: 60, more: 1 }, '/rateLimit/more'],
  ])('cannot be %s', async (_what, rateLimit, pointer) => {
    const session = await signIn(await context.server.person());
    const answer = await session.post('/v1/api-keys', { name: 'x', scopes: SCOPES, rateLimit });
    expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
  });
  // /room
});
