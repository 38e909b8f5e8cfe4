import { describe, expect, it } from '@jest/globals';
import type { RateLimiter } from '../../../src/platform/rate-limits/rate-limiter.js';
import { useServer } from '../../support/server.js';

const FIXTURE = 'test/platform/rate-limits/rate-limits.fixture.ts';
const RATE_LIMITED = { status: 429, problem: 'rate-limited' };

describe('the rate limit of a public route', () => {
  const context = useServer({ fixture: `${FIXTURE}#limited`, env: { TRUSTED_PROXIES: 'loopback' } });
  const from = (address: string) => context.server.anonymous.with({ 'X-Forwarded-For': address });

  it('counts by address: one of IPv4, a /64 of IPv6', async () => {
    const call = async (address: string) => (await from(address).get('/limited')).status;
    expect(await Promise.all(Array.from({ length: 4 }, () => call('192.0.2.1')))).toEqual(
      expect.arrayContaining([200, 200, 200, 429]),
    );
    expect(await call('::ffff:192.0.2.1')).toBe(429);
    expect((await from('192.0.2.1').call('HEAD', '/limited')).status).toBe(429);
    expect(await call('192.0.2.2')).toBe(200);
    for (const host of ['1', '2', 'ffff']) expect(await call(`2001:db8:0:1::${host}`)).toBe(200);
    expect(await call('2001:db8:0:1::abcd')).toBe(429);
    expect(await call('2001:db8:0:2::1')).toBe(200);
    // Another port is no other client.
    for (const port of [1, 2, 3]) expect(await call(`203.0.113.77:${port}`)).toBe(200);
    for (const text of ['203.0.113.77:4', '203.0.113.77']) expect(await call(text)).toBe(429);
    for (const port of [1, 2, 3]) expect(await call(`[2001:db8:0:9::1]:${port}`)).toBe(200);
    for (const text of ['[2001:db8:0:9::1]:4', '[2001:db8:0:9::1]', '2001:db8:0:9::1'])
      expect(await call(text)).toBe(429);
    // What is no address has one limit, whatever it is.
    for (const text of ['x', 'unknown', '192.0.2.999']) expect(await call(text)).toBe(200);
    for (const text of ['y', '1.2.3.4:port', '[x]:1']) expect(await call(text)).toBe(429);
  });

  it('names no subject in the log', async () => {
    const limiter = context.server.provider<RateLimiter>('RateLimiter');
    const consume = async () => limiter.consume('test', '192.0.2.12', { requests: 1, windowSeconds: 600 });
    await consume();
    await expect(consume()).rejects.toThrow(/rate-limited: test$/m);
  });

  it('is in every answer and in the API reference', async () => {
    const first = await from('192.0.2.9').post('/limited/forms');
    expect([first.status, first.headers.get('ratelimit-policy')]).toEqual([201, '"forms";q=2;w=600']);
    const bad = await from('192.0.2.9').post('/limited/forms', { more: 1 });
    expect([bad.status, bad.headers.get('ratelimit')]).toEqual([400, expect.stringMatching(/^"forms";r=0;/)]);
    const malformed = await from('192.0.2.10').post('/limited/forms', '{');
    expect([malformed.status, malformed.headers.get('ratelimit')]).toEqual([
      400,
      expect.stringMatching(/^"forms";r=1;/),
    ]);
    const large = await from('192.0.2.10').post('/limited/forms', { more: 'x'.repeat(200_000) });
    expect([large.status, large.headers.get('ratelimit')]).toEqual([
      413,
      expect.stringMatching(/^"forms";r=0;/),
    ]);
    expect(await from('192.0.2.10').post('/limited/forms', '{')).toMatchObject(RATE_LIMITED);
    const inUrl = await from('192.0.2.11').post('/limited/forms?api_key=x');
    expect([inUrl.problem, inUrl.headers.get('ratelimit')]).toEqual([
      'credential-in-url',
      expect.stringMatching(/^"forms";r=1;/),
    ]);
    const refused = await from('192.0.2.9').post('/limited/forms', { more: 1 });
    expect(refused).toMatchObject(RATE_LIMITED);
    expect((await from('192.0.2.9').get('/limited')).status).toBe(200);
    const { paths } = (await context.server.anonymous.get('/openapi.json')).body;
    const { responses } = paths['/limited/forms'].post;
    expect(responses['429'].headers).toHaveProperty('Retry-After');
    expect(Object.keys(responses['201'].headers)).toEqual(['RateLimit', 'RateLimit-Policy']);
    // room: api-keys
    expect(paths['/v1/probes'].get.responses['429'].description).toContain('`rate-limited`');
    // /room
    // room: own-api-keys
    expect(paths['/v1/api-keys'].get.responses).not.toHaveProperty('429');
    // /room
  });
});

describe('the rate limit of a public route that the router has elsewhere', () => {
  const prefixed = useServer({ fixture: `${FIXTURE}#prefixed` });
  const anyMethod = useServer({ fixture: `${FIXTURE}#anyMethod` });

  it.each([
    ['under a prefix', () => prefixed.server, '/prefix/limited/forms', ['POST', 'POST', 'POST']],
    ['for any method', () => anyMethod.server, '/any', ['GET', 'PUT', 'DELETE']],
  ])('is counted %s', async (_where, server, path, methods) => {
    const statuses: number[] = [];
    for (const method of methods) statuses.push((await server().anonymous.call(method, path)).status);
    expect([statuses.slice(0, 2).every((status) => status < 300), statuses[2]]).toEqual([true, 429]);
  });
});
