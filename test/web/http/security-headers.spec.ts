import { Controller, Get, Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Public } from '../../../src/auth/authenticated.decorator.js';
import { RouteTable } from '../../../src/auth/route-table.js';
import { InProcessServer } from '../../support/in-process.js';
import { type RawAnswer, type RawRequest, send, sendRaw } from '../../support/raw-http.js';
import { useStarted } from '../../support/server.js';

const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};
/** Those that say what the answer is rather than how safe it is. */
const OF_THE_ANSWER =
  /^(allow|cache-control|connection|content-length|content-type|date|keep-alive|location|transfer-encoding|www-authenticate|x-request-id)$/;

const securityHeaders = ({ headers }: RawAnswer) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_THE_ANSWER.test(name)));

@Controller('v1/broken')
class BrokenController {
  @Get()
  @Public()
  fail(): never {
    throw new Error('something nobody should read');
  }
}

@Module({ controllers: [BrokenController] })
class BrokenModule {}

const TOO_MANY_HEADERS = `GET / HTTP/1.1\r\nHost: x\r\nX-Filler: ${'x'.repeat(20_000)}\r\n\r\n`;
const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('the headers of every answer', () => {
  const context = useStarted(() => InProcessServer.start({ modules: [BrokenModule] }));
  const ask = (method: string, path: string, options?: RawRequest) =>
    send(context.server.url, method, path, options);
  const raw = (bytes: string) => sendRaw(context.server.url, bytes);
  const answers = async (): Promise<[string, RawAnswer][]> =>
    Promise.all(
      Object.entries({
        success: ask('GET', '/health/live'),
        'no credential': ask('GET', '/v1/probes/principal'),
        'unknown route': ask('GET', '/v1/nowhere'),
        'wrong method': ask('PATCH', '/v1/probes'),
        'credential in the URL': ask('GET', '/v1/probes/principal?token=x'),
        'broken body': ask('POST', '/v1/users', { headers: JSON_TYPE, body: '{' }),
        'large body': ask('POST', '/v1/users', { headers: JSON_TYPE, body: ' '.repeat(100_001) }),
        'other body': ask('POST', '/v1/users', { headers: { 'Content-Type': 'text/plain' }, body: 'x' }),
        'bad URL': ask('GET', '/%zz'),
        'large headers': raw(TOO_MANY_HEADERS),
        garbage: raw('hello\r\n\r\n'),
        crash: ask('GET', '/v1/broken'),
      }).map(async ([name, answer]) => [name, await answer] as [string, RawAnswer]),
    );

  it('are the security headers, no-store and the id of the request, and nothing about the software', async () => {
    for (const [name, answer] of await answers()) {
      expect([name, securityHeaders(answer)]).toEqual([name, SECURITY_HEADERS]);
      expect([name, answer.headers['cache-control']]).toEqual([name, 'no-store']);
      expect([name, answer.headers['x-request-id']]).toEqual([
        name,
        expect.stringMatching(/^[0-9a-f-]{36}$/),
      ]);
    }
  });

  it('let no answer be stored but the public keys, the metadata, the API reference and the files of its page', async () => {
    const stored: string[] = [];
    for (const { method, path } of context.server.app.get(RouteTable).all()) {
      const url = path.replace(':file', 'swagger-ui.css').replaceAll(/:\w+/g, 'x');
      const { headers } = await ask(method, url);
      if (headers['cache-control'] !== 'no-store') stored.push(`${method} ${path}`);
    }
    expect(stored.toSorted()).toEqual([
      'GET /.well-known/jwks.json',
      'GET /.well-known/oauth-authorization-server',
      'GET /docs/:file',
      'GET /openapi.json',
    ]);
  });
});

const corsHeaders = ({ headers }: RawAnswer) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

describe('CORS', () => {
  const NAMED = 'https://app.example.com';
  const context = useStarted(() =>
    InProcessServer.start({ env: { CORS_ORIGINS: `${NAMED} https://other.example.com` } }),
  );
  const ask = (method: string, path: string, headers: Record<string, string>) =>
    send(context.server.url, method, path, { headers });
  const PREFLIGHT = {
    'Access-Control-Request-Method': 'PUT',
    'Access-Control-Request-Headers': 'content-type,x-csrf-token',
  };

  it('lets a named origin read answers, with credentials, also errors', async () => {
    for (const path of [
      '/health/live',
      '/v1/probes/principal',
      '/v1/nowhere',
      '/v1/probes/principal?token=x',
    ]) {
      const { headers } = await ask('GET', path, { Origin: NAMED });
      expect(headers).toMatchObject({
        'access-control-allow-origin': NAMED,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers':
          'Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id',
        vary: 'Origin',
      });
    }
  });

  it('answers a preflight of a named origin, without a credential', async () => {
    const { status, headers, text } = await ask('OPTIONS', '/v1/users/me/password', {
      Origin: NAMED,
      ...PREFLIGHT,
    });
    expect([status, text]).toEqual([204, '']);
    expect(headers).toMatchObject({
      'access-control-allow-origin': NAMED,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'Authorization, Content-Type, X-API-Key, X-CSRF-Token',
      'access-control-max-age': '600',
      'cache-control': 'no-store',
      'x-request-id': expect.any(String),
    });
  });

  it('tells an origin that is not named nothing', async () => {
    for (const Origin of [
      'https://evil.example.com',
      `${NAMED}.evil.example`,
      `${NAMED}:8443`,
      'http://app.example.com',
      'HTTPS://APP.EXAMPLE.COM',
      'null',
      '*',
      '',
    ]) {
      const answer = await ask('GET', '/health/live', { Origin });
      expect([Origin, answer.status, corsHeaders(answer)]).toEqual([Origin, 200, []]);
      const preflight = await ask('OPTIONS', '/v1/probes', { Origin, ...PREFLIGHT });
      expect([Origin, preflight.problem, corsHeaders(preflight)]).toEqual([Origin, 'method-not-allowed', []]);
      // So that no cache gives it the answer that a named origin got.
      expect(answer.headers.vary).toBe('Origin');
    }
  });

  it('adds no header to a request without an origin', async () => {
    expect(corsHeaders(await ask('GET', '/health/live', {}))).toEqual([]);
  });

  it('answers an OPTIONS that is no preflight without text', async () => {
    expect((await ask('OPTIONS', '/v1/probes', { Origin: NAMED })).status).toBe(204);
    expect((await ask('OPTIONS', '/v1/probes', {})).problem).toBe('method-not-allowed');
  });

  it('adds no header where no origin is named', async () => {
    const server = await InProcessServer.start();
    try {
      for (const method of ['GET', 'OPTIONS']) {
        const headers = { Origin: NAMED, ...PREFLIGHT };
        expect(corsHeaders(await send(server.url, method, '/health/live', { headers }))).toEqual([]);
      }
    } finally {
      await server.stop();
    }
  });
});

describe('in production', () => {
  let server: InProcessServer;
  beforeAll(async () => {
    server = await InProcessServer.start({
      env: { NODE_ENV: 'production', ISSUER: 'https://auth.example.com', LOG_LEVEL: 'info' },
    });
  });
  afterAll(() => server.stop());

  it('every answer has Strict-Transport-Security', async () => {
    for (const answer of [
      await send(server.url, 'GET', '/health/live'),
      await send(server.url, 'GET', '/v1/nowhere'),
      await send(server.url, 'GET', '/%zz'),
      await sendRaw(server.url, 'hello\r\n\r\n'),
    ])
      expect(securityHeaders(answer)).toEqual({
        ...SECURITY_HEADERS,
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
      });
  });
});
