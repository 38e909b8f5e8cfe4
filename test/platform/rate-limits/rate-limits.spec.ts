import { All, Controller, Get, Module, Post } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import { Public } from '../../../src/auth/authenticated.decorator.js';
import { basic, postForm } from '../../support/form.js';
import { InProcessServer } from '../../support/in-process.js';
import { apiKeyOf, KeyClient } from '../../support/modes/api-key.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { exchange } from '../../support/modes/machine.js';
import { opaqueOf } from '../../support/modes/opaque.js';
import { sessionOf } from '../../support/modes/session.js';
import { useStarted } from '../../support/server.js';
import { until } from '../../support/until.js';

@Controller('limited')
class LimitedController {
  @Get()
  @Public({ rateLimit: { policy: 'limited', requests: 3, windowSeconds: 600 } })
  read() {
    return {};
  }

  @Post('forms')
  @Public({ rateLimit: { policy: 'forms', requests: 2, windowSeconds: 600 } })
  write() {
    return {};
  }
}

@Module({ controllers: [LimitedController] })
class LimitedModule {}

@Controller('any')
class AnyMethodController {
  @All()
  @Public({ rateLimit: { policy: 'any', requests: 2, windowSeconds: 600 } })
  any() {
    return {};
  }
}

@Module({ controllers: [AnyMethodController] })
class AnyMethodModule {}

const RATE_LIMITED = { status: 429, problem: 'rate-limited' };
const SCOPES = ['probes:read', 'tokens:introspect'];

describe('the rate limit of a key', () => {
  const context = useStarted(() => InProcessServer.start());
  const keyWith = async (requests: number, windowSeconds = 600) =>
    apiKeyOf(await context.server.person(), SCOPES, { rateLimit: { requests, windowSeconds } });
  const statuses = async (...calls: Promise<{ status: number }>[]) =>
    (await Promise.all(calls)).map(({ status }) => status);

  it('is told on every answer: what it is, what is left, and for how long', async () => {
    const key = await keyWith(3);
    const left: (string | null)[] = [];
    for (const path of ['/v1/probes', '/v1/probes/01890000-0000-7000-8000-000000000000', '/v1/users/me']) {
      const { status, headers } = await key.get(path);
      expect([path, status]).toEqual([path, { 0: 200, 1: 404, 2: 403 }[left.length]]);
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

  it('lets exactly as many through as it says, also of a hundred at once', async () => {
    const key = await keyWith(10);
    const answers = await statuses(...Array.from({ length: 100 }, () => key.get('/v1/probes')));
    expect(answers.filter((status) => status === 200)).toHaveLength(10);
    expect(answers.filter((status) => status === 429)).toHaveLength(90);
  });

  it('begins again when the window is over, whatever was refused meanwhile', async () => {
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

  it('is one for all keys of a line: a rotation does not double it', async () => {
    const owner = await context.server.person();
    const old = await apiKeyOf(owner, SCOPES, { rateLimit: { requests: 3, windowSeconds: 600 } });
    await old.get('/v1/probes');
    const session = await sessionOf(owner);
    const answer = await session.post(`/v1/api-keys/${old.id}/rotation`);
    const fresh = KeyClient.from(context.server.url, context.server.secrets, answer);
    expect([(await fresh.get('/v1/probes')).status, (await old.get('/v1/probes')).status]).toEqual([
      200, 200,
    ]);
    for (const key of [old, fresh]) expect(await key.get('/v1/probes')).toMatchObject(RATE_LIMITED);
    expect((await (await apiKeyOf(owner, SCOPES)).get('/v1/probes')).status).toBe(200);
  });

  it('is 600 requests in a minute unless told, and nobody’s who comes without a key', async () => {
    const owner = await context.server.person();
    const { headers } = await (await apiKeyOf(owner, SCOPES)).get('/v1/probes');
    expect(headers.get('ratelimit-policy')).toBe('"key";q=600;w=60');
    for (const client of [await sessionOf(owner), await jwtOf(owner), await opaqueOf(owner)]) {
      const answer = await client.get('/v1/probes');
      expect([answer.status, answer.headers.has('ratelimit')]).toEqual([200, false]);
    }
  });

  it('is not used up by strangers: from where the key is not allowed, nothing counts', async () => {
    const key = await apiKeyOf(await context.server.person(), SCOPES, {
      allowedCidrs: ['192.0.2.0/24'],
      rateLimit: { requests: 1, windowSeconds: 600 },
    });
    for (let i = 0; i < 3; i += 1) {
      const answer = await key.get('/v1/probes');
      expect([answer.status, answer.headers.has('ratelimit')]).toEqual([401, false]);
    }
  });

  it.each([
    ['nothing', {}, '/rateLimit/requests'],
    ['no requests', { requests: 0, windowSeconds: 60 }, '/rateLimit/requests'],
    ['half a request', { requests: 0.5, windowSeconds: 60 }, '/rateLimit/requests'],
    ['no window', { requests: 1 }, '/rateLimit/windowSeconds'],
    ['a window of more than a day', { requests: 1, windowSeconds: 86_401 }, '/rateLimit/windowSeconds'],
    ['more', { requests: 1, windowSeconds: 60, more: 1 }, '/rateLimit/more'],
  ])('cannot be %s', async (_what, rateLimit, pointer) => {
    const session = await sessionOf(await context.server.person());
    const answer = await session.post('/v1/api-keys', { name: 'x', scopes: SCOPES, rateLimit });
    expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
  });
});

describe('the rate limit of a public route', () => {
  const context = useStarted(() =>
    InProcessServer.start({ modules: [LimitedModule], env: { TRUSTED_PROXIES: 'loopback' } }),
  );
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

  it('is told on every answer, and in the reference', async () => {
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
    expect(paths['/v1/probes'].get.responses['429'].description).toContain('`rate-limited`');
    expect(paths['/v1/api-keys'].get.responses).not.toHaveProperty('429');
  });
});

describe('the rate limit of a public route that the router has elsewhere', () => {
  const prefixed = useStarted(() =>
    InProcessServer.start({
      modules: [RouterModule.register([{ path: 'prefix', module: LimitedModule }]), LimitedModule],
    }),
  );
  const anyMethod = useStarted(() => InProcessServer.start({ modules: [AnyMethodModule] }));

  it.each([
    ['under a prefix', () => prefixed.server, '/prefix/limited/forms', ['POST', 'POST', 'POST']],
    ['for any method', () => anyMethod.server, '/any', ['GET', 'PUT', 'DELETE']],
  ])('is counted %s', async (_where, server, path, methods) => {
    const statuses: number[] = [];
    for (const method of methods) statuses.push((await server().anonymous.call(method, path)).status);
    expect([statuses.slice(0, 2).every((status) => status < 300), statuses[2]]).toEqual([true, 429]);
  });
});
