import { describe, expect, it } from '@jest/globals';
import { credentials } from '../../support/modes/any.js';
import { type RawAnswer, type RawRequest, send, sendRaw } from '../../support/raw-http.js';
import { useServer } from '../../support/server.js';

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
  /^(allow|cache-control|connection|content-length|content-type|date|keep-alive|location|server-timing|transfer-encoding|www-authenticate|x-request-id)$/;

const securityHeaders = ({ headers }: RawAnswer) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_THE_ANSWER.test(name)));

const TOO_MANY_HEADERS = `GET / HTTP/1.1\r\nHost: x\r\nX-Filler: ${'x'.repeat(20_000)}\r\n\r\n`;
const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('the headers of every answer', () => {
  const context = useServer({ fixture: 'test/web/http/security-headers.fixture.ts#broken' });
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
        'broken body': ask('POST', '/v1/probes/echo', { headers: JSON_TYPE, body: '{' }),
        'large body': ask('POST', '/v1/probes/echo', { headers: JSON_TYPE, body: ' '.repeat(100_001) }),
        'other body': ask('POST', '/v1/probes/echo', {
          headers: { 'Content-Type': 'text/plain' },
          body: 'x',
        }),
        'bad URL': ask('GET', '/%zz'),
        'large headers': raw(TOO_MANY_HEADERS),
        garbage: raw('hello\r\n\r\n'),
        crash: ask('GET', '/v1/broken'),
        stream: ask('GET', '/v1/broken/stream'),
      }).map(async ([name, answer]) => [name, await answer] as [string, RawAnswer]),
    );

  it('let a page load scripts of this server, also if the page is a stream', async () => {
    for (const path of ['/problems/overloaded', '/v1/broken/page']) {
      const { headers } = await ask('GET', path, { headers: { Accept: 'text/html' } });
      expect([path, headers['content-type']]).toEqual([path, expect.stringMatching(/^text\/html/)]);
      expect(headers['content-security-policy']).toContain("script-src 'self'");
    }
  });

  it('[V3.2.1] [V3.4.4] [V3.4.5] [V3.4.6] [V13.4.6] are the security headers, no-store and the request id, and do not name the software', async () => {
    for (const [name, answer] of await answers()) {
      expect([name, securityHeaders(answer)]).toEqual([name, SECURITY_HEADERS]);
      expect([name, answer.headers['cache-control']]).toEqual([name, 'no-store']);
      expect([name, answer.headers['x-request-id']]).toEqual([
        name,
        expect.stringMatching(/^[0-9a-f-]{36}$/),
      ]);
    }
  });

  it('[V14.2.2] [V14.3.2] forbid to store answers, except public keys, metadata and the API reference', async () => {
    const stored: string[] = [];
    for (const { method, path } of await context.server.routes()) {
      const url = path.replace(':file', 'swagger-ui.css').replaceAll(/:\w+/g, 'x');
      const { headers } = await ask(method, url);
      if (headers['cache-control'] !== 'no-store') stored.push(`${method} ${path}`);
    }
    expect(stored.toSorted()).toEqual([
      // room: jwt
      'GET /.well-known/jwks.json',
      // /room
      // room: oauth
      'GET /.well-known/oauth-authorization-server',
      // /room
      'GET /docs/:file',
      'GET /openapi.json',
    ]);
  });
});

const corsHeaders = ({ headers }: RawAnswer) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

describe('CORS', () => {
  const NAMED = 'https://app.example.com';
  const context = useServer({ env: { CORS_ORIGINS: `${NAMED} https://other.example.com` } });
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

  const ALLOWED = [
    ...(credentials.some(({ mode }) => mode !== 'session') ? ['Authorization'] : []),
    'Content-Type',
    // room: api-keys
    'X-API-Key',
    // /room
    // room: sessions
    'X-CSRF-Token',
    // /room
  ];

  it('answers a preflight of a named origin, without a credential', async () => {
    const { status, headers, text } = await ask('OPTIONS', '/v1/probes', {
      Origin: NAMED,
      ...PREFLIGHT,
    });
    expect([status, text]).toEqual([204, '']);
    expect(headers).toMatchObject({
      'access-control-allow-origin': NAMED,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': ALLOWED.join(', '),
      'access-control-max-age': '600',
      'cache-control': 'no-store',
      'x-request-id': expect.any(String),
    });
  });

  it('[V3.4.2] adds no header for an origin that is not named', async () => {
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

  it('answers an OPTIONS without a preflight', async () => {
    expect((await ask('OPTIONS', '/v1/probes', { Origin: NAMED })).status).toBe(204);
    expect((await ask('OPTIONS', '/v1/probes', {})).problem).toBe('method-not-allowed');
  });
});

describe('CORS without CORS_ORIGINS', () => {
  const context = useServer();

  it('adds no header', async () => {
    const headers = {
      Origin: 'https://app.example.com',
      'Access-Control-Request-Method': 'PUT',
    };
    for (const method of ['GET', 'OPTIONS'])
      expect(corsHeaders(await send(context.server.url, method, '/health/live', { headers }))).toEqual([]);
  });
});

describe('in production', () => {
  const context = useServer({
    env: { NODE_ENV: 'production', ISSUER: 'https://auth.example.com', LOG_LEVEL: 'info' },
  });

  it('[V3.4.1] every answer has Strict-Transport-Security', async () => {
    const { url } = context.server;
    for (const answer of [
      await send(url, 'GET', '/health/live'),
      await send(url, 'GET', '/v1/nowhere'),
      await send(url, 'GET', '/%zz'),
      await sendRaw(url, 'hello\r\n\r\n'),
    ])
      expect(securityHeaders(answer)).toEqual({
        ...SECURITY_HEADERS,
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
      });
  });
});
