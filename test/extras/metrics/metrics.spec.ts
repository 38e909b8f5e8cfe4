import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from '../../support/client.js';
import { credentials } from '../../support/modes/any.js';
// room: own-api-keys
import { apiKeyOf } from '../../support/modes/api-key.js';
// /room
// room: users
import { signIns } from '../../support/modes/any.js';
// /room
import { useServer } from '../../support/server.js';
import { send } from '../../support/raw-http.js';
import { metricsUrl, type Scrape, scrape } from './scrape.js';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-/;
const HOSTILE = 'gr8-"path}\n';

describe('the metrics of a server', () => {
  const context = useServer({ env: { METRICS_PORT: '0', CREDENTIAL_CACHE_TTL: '1h' } });
  const clients: Record<string, Client> = {};
  let before: Scrape;

  beforeAll(async () => {
    for (const { name, of } of credentials) clients[name] = await of(context.server);
    before = await scrape(context.server);
  });

  /** How much a metric grows while `work` runs. */
  async function growth(
    work: () => Promise<unknown>,
    name: string,
    labels: Record<string, string> = {},
  ): Promise<number> {
    const earlier = (await scrape(context.server)).total(name, labels);
    await work();
    return (await scrape(context.server)).total(name, labels) - earlier;
  }

  describe.each(credentials)('about the mode of a $name', ({ name, mode, of }) => {
    it('count an allowed request, and measure it by route, mode and status class', async () => {
      const ask = () => clients[name]!.get('/v1/probes/principal');
      expect(await growth(ask, 'authentications_total', { mode, result: 'allowed' })).toBe(1);
      const labels = { mode, method: 'GET', route: '/v1/probes/principal', status: '2xx' };
      expect(await growth(ask, 'http_request_duration_seconds_count', labels)).toBe(1);
      expect(await growth(ask, 'http_request_duration_seconds_bucket', { ...labels, le: '+Inf' })).toBe(1);
      expect(await growth(ask, 'http_request_duration_seconds_sum', labels)).toBeGreaterThan(0);
    });

    it('count a request without the scope', async () => {
      const reader = await of(context.server, ['probes:read']);
      const ask = () => reader.post('/v1/probes', { note: 'Tea' });
      // A session has all scopes.
      const result = (await ask()).problem ?? 'allowed';
      expect(['allowed', 'insufficient-scope']).toContain(result);
      expect(await growth(ask, 'authentications_total', { mode, result })).toBe(1);
    });

    it('count an invalid credential by its mode', async () => {
      const [[header, value]] = Object.entries(clients[name]!.headers) as [[string, string]];
      const invalid = context.server.anonymous.with({ [header]: `${value.slice(0, -8)}00000000` });
      const ask = () => invalid.get('/v1/probes/principal');
      const labels = { mode, result: 'invalid-credential' };
      expect(await growth(ask, 'authentications_total', labels)).toBe(1);
    });

    it('count the use of a cached credential', async () => {
      const ask = () => clients[name]!.get('/v1/probes/principal');
      await ask();
      expect(await growth(ask, 'credential_cache_hits_total')).toBeGreaterThan(0);
      expect(await growth(ask, 'credential_cache_misses_total')).toBe(0);
    });
  });

  it('count a lookup that no cache answers, and its entry', async () => {
    const [first] = credentials;
    const use = async () => (await first!.of(context.server)).get('/v1/probes/principal');
    expect(await growth(use, 'credential_cache_misses_total')).toBeGreaterThan(0);
    expect(await growth(use, 'credential_cache_entries')).toBeGreaterThan(0);
    const { samples } = await scrape(context.server);
    const limits = samples.filter(({ name }) => name === 'credential_cache_entries_limit');
    expect(new Set(limits.map(({ value }) => value))).toEqual(new Set([10_000]));
  });

  it('count a request without a credential, and not one of a public route', async () => {
    const labels = { mode: 'none', result: 'credential-required' };
    const ask = () => context.server.anonymous.get('/v1/probes/principal');
    expect(await growth(ask, 'authentications_total', labels)).toBe(1);
    const live = () => context.server.anonymous.get('/health/live');
    expect(await growth(live, 'authentications_total')).toBe(0);
    expect(
      await growth(live, 'http_request_duration_seconds_count', { route: '/health/live', mode: 'none' }),
    ).toBe(1);
  });

  it('count a HEAD as its route', async () => {
    const { server } = context;
    const ask = async () => {
      for (const method of ['HEAD', 'GET']) await send(server.url, method, '/problems/not-found');
    };
    const labels = { route: '/problems/:slug', method: 'GET', mode: 'none' };
    expect(await growth(ask, 'http_request_duration_seconds_count', labels)).toBe(2);
    const { samples } = await scrape(server);
    const same = samples.filter(
      ({ name, labels: { route } }) =>
        name === 'http_request_duration_seconds_count' && route === '/problems/:slug',
    );
    expect(same).toHaveLength(1);
  });

  it('name all unknown routes and methods alike', async () => {
    const labels = { method: 'any', route: 'unknown', status: '4xx' };
    const { server } = context;
    const ask = async () => {
      await server.anonymous.get('/v1/nowhere/1');
      await server.anonymous.delete(`/v1/${encodeURIComponent(HOSTILE)}`);
      await send(server.url, 'PROPFIND', '/health/live');
    };
    expect(await growth(ask, 'http_request_duration_seconds_count', labels)).toBe(3);
    expect((await scrape(server)).text).not.toMatch(/nowhere|gr8|PROPFIND/);
  });

  // room: own-api-keys
  it('count requests over a rate limit by the name of the limit', async () => {
    const person = await context.server.person();
    const client = await apiKeyOf(person, ['probes:read'], { rateLimit: { requests: 1, windowSeconds: 60 } });
    const ask = async () => {
      for (let i = 0; i < 3; i += 1) await client.get('/v1/probes/principal');
    };
    expect(await growth(ask, 'rate_limited_total', { limit: 'key' })).toBe(2);
    const labels = { mode: 'api-key', result: 'rate-limited' };
    expect(await growth(ask, 'authentications_total', labels)).toBe(3);
  });
  // /room

  // room: users
  it('count security events, such as a refused sign-in', async () => {
    const { path, fields } = signIns[0]!;
    const body = { email: 'nobody@example.com', password: 'wrong horse battery staple', ...fields };
    const signIn = () => context.server.anonymous.post(path, body);
    expect(await growth(signIn, 'security_events_total', { event: 'sign-in.refused' })).toBe(1);
  });

  it('have the queue of password hashes', async () => {
    expect(before.total('password_hashes_waiting_limit')).toBe(200);
    for (const name of [
      'password_hashes_running',
      'password_hashes_waiting',
      'password_hashes_refused_total',
    ])
      expect([name, before.total(name)]).toEqual([name, 0]);
  });
  // /room

  it('have the state of the feed, of the pool and of the queues', async () => {
    const { total, samples } = await scrape(context.server);
    expect(total('revocation_feed_connected')).toBe(1);
    expect(total('revocation_feed_trusted')).toBe(1);
    expect(total('revocation_feed_lag_seconds')).toBeLessThan(60);
    expect(total('revocation_feed_subjects_limit')).toBe(100_000);
    expect(total('database_pool_connections_limit')).toBe(10);
    expect(total('database_pool_connections')).toBeGreaterThanOrEqual(
      total('database_pool_idle_connections'),
    );
    expect(total('database_pool_waiting_requests')).toBe(0);
    expect(total('http_requests_overloaded_total')).toBe(0);
    expect(total('log_lost_lines_total')).toBe(0);
    expect(samples.some(({ name }) => name === 'nodejs_eventloop_lag_p99_seconds')).toBe(true);
  });

  it('have no secret, id or address in a label', async () => {
    const { server } = context;
    for (const client of Object.values(clients))
      await client.get(`/v1/probes/${'0'.repeat(8)}-0000-7000-8000-000000000000`);
    const { text, samples } = await scrape(server);
    expect(server.secrets.foundIn(text)).toEqual([]);
    const values = samples.flatMap(({ labels }) => Object.values(labels));
    expect(
      values.filter((value) => UUID.test(value) || value.includes('@') || value.includes('127.0.0.1')),
    ).toEqual([]);
  });

  it('have few series for each metric', async () => {
    const { samples } = await scrape(context.server);
    const counts = new Map<string, number>();
    for (const { name, labels } of samples)
      if (!('le' in labels)) counts.set(name, (counts.get(name) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > 100)).toEqual([]);
  });

  it('follow the naming conventions of Prometheus', async () => {
    const { types, samples } = await scrape(context.server);
    const ours = [...types].filter(([name]) => !/^(nodejs|process)_/.test(name));
    for (const [name, type] of ours)
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
    expect(samples).toHaveLength(new Set(samples.map((one) => JSON.stringify([one.name, one.labels]))).size);
  });

  it('are only on their own port, and only at GET /metrics', async () => {
    const { server } = context;
    expect((await server.anonymous.get('/metrics')).problem).toBe('not-found');
    const url = await metricsUrl(server);
    expect(new URL(url).port).not.toBe(new URL(server.url).port);
    const origin = new URL(url).origin;
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/metrics/'],
      ['GET', '/health/live'],
      ['POST', '/metrics'],
      ['HEAD', '/metrics'],
    ] as const) {
      const answer = await send(origin, method, path);
      expect([method, path, answer.status, answer.text]).toEqual([method, path, 404, '']);
    }
  });
});

describe('a server without METRICS_PORT', () => {
  const context = useServer();

  it('serves no metrics', async () => {
    expect((await context.server.anonymous.get('/metrics')).problem).toBe('not-found');
    expect(await metricsUrl(context.server)).toBe('undefined');
  });
});
