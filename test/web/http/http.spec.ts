import { describe, expect, it } from '@jest/globals';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { sessionOf } from '../../support/modes/session.js';
import { pipeline, type RawAnswer, type RawRequest, send, sendRaw } from '../../support/raw-http.js';
import { useServer } from '../../support/server.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('HTTP', () => {
  const context = useServer();
  const ask = (method: string, path: string, options?: RawRequest) =>
    send(context.server.url, method, path, options);
  const raw = (bytes: string) => sendRaw(context.server.url, bytes);
  const statusAndProblem = ({ status, problem }: RawAnswer) => [status, problem];
  const post = (body: string | Buffer, headers: Record<string, string> = JSON_TYPE, chunked = false) =>
    ask('POST', '/v1/email-verifications', { body, headers, chunked });

  describe('the server over HTTP', () => {
    describe('routes', () => {
      it('answers 404 to an unknown path, whatever is sent there', async () => {
        for (const [method, options] of [
          ['GET', {}],
          ['POST', {}],
          ['POST', { headers: JSON_TYPE, body: '{' }],
          ['POST', { headers: JSON_TYPE, body: ' '.repeat(200_000) }],
          ['POST', { headers: { 'Content-Type': 'text/plain' }, body: 'x' }],
          ['PROPFIND', {}],
          ['QUERY', {}],
        ] as [string, RawRequest][])
          expect([method, ...statusAndProblem(await ask(method, '/v1/nowhere', options))]).toEqual([
            method,
            404,
            'not-found',
          ]);
      });

      it.each([
        ['PATCH', '/v1/probes', 'GET, HEAD, POST'],
        ['DELETE', '/v1/probes?limit=1', 'GET, HEAD, POST'],
        ['PUT', '/v1/probes/0190a1b2-0000-7000-8000-000000000000', 'DELETE, GET, HEAD'],
        ['POST', '/v1/users/me', 'GET, HEAD, PATCH'],
        ['HEAD', '/v1/users', 'POST'],
        ['OPTIONS', '/v1/probes', 'GET, HEAD, POST'],
        ['TRACE', '/v1/probes', 'GET, HEAD, POST'],
        ['PROPFIND', '/v1/probes', 'GET, HEAD, POST'],
        ['QUERY', '/v1/probes', 'GET, HEAD, POST'],
        ['POST', '/health/live', 'GET, HEAD'],
      ])('answers 405 to %s %s and names what it allows', async (method, path, allow) => {
        const { status, headers, problem } = await ask(method, path);
        expect([status, headers.allow]).toEqual([405, allow]);
        expect(problem).toBe(method === 'HEAD' ? '' : 'method-not-allowed');
      });

      it('answers 405 before it looks at the body or asks for a credential', async () => {
        const options = { headers: JSON_TYPE, body: '{' };
        expect((await ask('PATCH', '/v1/probes', options)).status).toBe(405);
      });

      it('knows a path only as it is written: no slash more, no other case', async () => {
        for (const path of ['/v1/probes/', '//v1/probes', '/v1//probes', '/V1/probes', '/v1/probes/x/y'])
          expect([path, ...statusAndProblem(await ask('GET', path))]).toEqual([path, 404, 'not-found']);
      });

      it('answers HEAD like GET, without the body', async () => {
        const head = await ask('HEAD', '/health/live');
        expect([head.status, head.text]).toEqual([200, '']);
        expect(head.headers['content-length']).toBe(
          (await ask('GET', '/health/live')).headers['content-length'],
        );
      });
    });

    describe('bodies', () => {
      const accepted = JSON.stringify({ email: 'ada@example.com' });

      it.each([
        ['application/json'],
        ['application/JSON'],
        ['application/json; charset=utf-8'],
        ['application/json;charset="UTF-8"'],
        ['application/json; charset=utf8'],
        ['application/json; charset=UTF8'],
      ])('reads %s', async (type) => {
        expect((await post(accepted, { 'Content-Type': type })).status).toBe(202);
      });

      it.each([
        ['text/plain'],
        ['application/x-www-form-urlencoded'],
        ['multipart/form-data; boundary=x'],
        ['application/jsonx'],
        ['application/vnd.api+json'],
        ['application/json, text/plain'],
        ['application/json; charset=utf-16'],
        ['application/json; charset=iso-8859-1'],
        ['json'],
        ['*/*'],
      ])('refuses %s', async (type) => {
        expect(statusAndProblem(await post(accepted, { 'Content-Type': type }))).toEqual([
          415,
          'unsupported-media-type',
        ]);
      });

      it('refuses a body without a content type', async () => {
        expect(statusAndProblem(await post(accepted, {}))).toEqual([415, 'unsupported-media-type']);
      });

      it('reads 100 kB and refuses one byte more, whether it is told the length or not', async () => {
        const full = accepted.padEnd(100_000);
        for (const chunked of [false, true]) {
          expect((await post(full, JSON_TYPE, chunked)).status).toBe(202);
          expect(statusAndProblem(await post(`${full} `, JSON_TYPE, chunked))).toEqual([
            413,
            'body-too-large',
          ]);
        }
      });

      it.each([
        ['broken JSON', '{"email":'],
        ['JSON with something behind it', `${accepted} x`],
        ['a comment', `${accepted} // x`],
        ['__proto__', '{"__proto__":{}}'],
        ['__proto__ in an array', '{"email":[{"__proto__":1}]}'],
        ['__proto__ in escapes', String.raw`{"\u005f_proto__":{}}`],
        ['constructor.prototype', '{"a":{"constructor":{"prototype":{}}}}'],
        ['bytes that are not UTF-8', Buffer.from([...Buffer.from('{"email":"'), 0xff, 0x22, 0x7d])],
        ['a surrogate in UTF-8', Buffer.from([...Buffer.from('{"email":"'), 0xed, 0xa0, 0x80, 0x22, 0x7d])],
      ])('refuses %s', async (_name, body) => {
        expect(statusAndProblem(await post(body))).toEqual([400, 'malformed-request']);
      });

      it('reads JSON of 20 levels and refuses one more', async () => {
        const { headers } = await apiKeyOf(await context.server.person(), ['events:write']);
        const event = (levels: number) =>
          ask('POST', '/v1/events', {
            headers: { ...JSON_TYPE, ...headers },
            body: `{"type":"deep","data":{"a":${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}}}`,
          });
        expect((await event(20)).status).toBe(202);
        expect(statusAndProblem(await event(21))).toEqual([400, 'malformed-request']);
        // A prototype that cannot be reached is data like any other, and brackets in a text have no depth.
        const body = JSON.stringify({ type: 'x', data: { constructor: 'x', text: '['.repeat(50) } });
        expect(
          (await ask('POST', '/v1/events', { headers: { ...JSON_TYPE, ...headers }, body })).status,
        ).toBe(202);
      });

      it('answers what is missing where there is no body, whatever the headers say of one', async () => {
        for (const type of [
          undefined,
          'application/json',
          'text/plain;charset=UTF-8',
          'multipart/x',
          'junk',
          '',
        ])
          for (const options of [{}, { body: '' }, { body: '', chunked: true }]) {
            const headers: Record<string, string> = type === undefined ? {} : { 'Content-Type': type };
            const answer = await ask('POST', '/v1/email-verifications', { headers, ...options });
            expect([type, options, ...statusAndProblem(answer)]).toEqual([
              type,
              options,
              400,
              'validation-failed',
            ]);
          }
      });

      it.each(['Content-Type: application/json', 'Content-Type: text/plain', 'Content-Encoding: gzip'])(
        'answers a chunked request without chunks as one without a body: %s',
        async (header) => {
          const chunked = (line: string) =>
            raw(
              `${line} HTTP/1.1\r\nHost: a\r\n${header}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`,
            );
          expect(statusAndProblem(await chunked('POST /v1/email-verifications'))).toEqual([
            400,
            'validation-failed',
          ]);
          expect((await chunked('GET /health/live')).status).toBe(200);
        },
      );
      it('is refused for a credential in the URL before anything about its body', async () => {
        const headers = { ...JSON_TYPE, 'Content-Encoding': 'gzip' };
        const answer = await ask('POST', '/v1/email-verifications?token=x', { headers, body: '{}' });
        expect(statusAndProblem(answer)).toEqual([400, 'credential-in-url']);
      });

      it('is answered whatever it expects, as every other', async () => {
        const headers = { ...JSON_TYPE, Expect: 'nothing' };
        const answer = await ask('POST', '/v1/email-verifications', { headers, body: '{}' });
        expect(statusAndProblem(answer)).toEqual([400, 'validation-failed']);
      });

      it('answers where headers and an empty chunked body arrive together', async () => {
        const answer = await pipeline(
          context.server.url,
          'POST /v1/email-verifications HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        );
        expect(answer).toMatch(/^HTTP\/1.1 400 [^]*validation-failed/);
      });

      it('has no body where none was sent: DELETE, and fetch with an empty one', async () => {
        const session = await sessionOf(await context.server.person());
        const headers = { ...session.headers, 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip' };
        for (const body of [undefined, ''])
          expect(
            statusAndProblem(await ask('DELETE', '/v1/sessions', { headers, ...(body === '' && { body }) })),
          ).toEqual([204, undefined]);
        const response = await fetch(`${context.server.url}/v1/sessions/current`, {
          method: 'DELETE',
          headers: session.headers,
          body: '',
        });
        expect(response.status).toBe(204);
        const form = await ask('POST', '/oauth/token', { headers: JSON_TYPE, body: '' });
        expect([form.status, JSON.parse(form.text).error]).toEqual([401, 'invalid_client']);
      });

      it('refuses a body with a Content-Encoding and says that it takes none', async () => {
        for (const encoding of ['gzip', 'br', 'deflate', 'gzip, identity', 'x'])
          for (const chunked of [false, true]) {
            const answer = await post(accepted, { ...JSON_TYPE, 'Content-Encoding': encoding }, chunked);
            expect([encoding, ...statusAndProblem(answer), answer.headers['accept-encoding']]).toEqual([
              encoding,
              415,
              'unsupported-media-type',
              'identity',
            ]);
          }
        for (const encoding of ['identity', 'Identity'])
          expect((await post(accepted, { ...JSON_TYPE, 'Content-Encoding': encoding })).status).toBe(202);
        const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Encoding': 'gzip' };
        const form = await ask('POST', '/oauth/token', { headers, body: 'grant_type=x' });
        expect([form.status, form.headers['accept-encoding']]).toEqual([415, 'identity']);
        expect((await ask('POST', '/v1/nowhere', { headers, body: 'x' })).status).toBe(404);
      });

      it('keeps every key of free data as it was sent', async () => {
        const { headers } = await apiKeyOf(await context.server.person(), ['events:write']);
        const data = {
          constructor: 'x',
          prototype: { constructor: { name: 'y' } },
          list: [{ constructor: null, prototype: false }],
        };
        const body = JSON.stringify({ type: 'keys.kept', data });
        const answer = await ask('POST', '/v1/events', { headers: { ...JSON_TYPE, ...headers }, body });
        expect(answer.status).toBe(202);
        const [stored] = await context.server.query('SELECT data FROM events WHERE type = $1', ['keys.kept']);
        expect(stored.data).toEqual(data);
      });

      it('refuses `constructor` and `prototype` as fields like any other that it does not know', async () => {
        const { text } = await post('{"email":"ada@example.com","constructor":1,"prototype":1}');
        expect(JSON.parse(text).errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
          '/constructor',
          '/prototype',
        ]);
      });
    });

    describe('URLs', () => {
      it('answers 400 to an escape that is none', async () => {
        for (const path of ['/%zz', '/v1/probes/%', '/v1/probes/%e0%a4%a'])
          expect(statusAndProblem(await ask('GET', path))).toEqual([400, 'malformed-request']);
      });

      it('asks for the credential first, and then answers that a long id is none', async () => {
        const path = `/v1/probes/${'a'.repeat(5_000)}`;
        expect((await ask('GET', path)).status).toBe(401);
        const { headers } = await apiKeyOf(await context.server.person(), ['probes:read']);
        expect(statusAndProblem(await ask('GET', path, { headers }))).toEqual([400, 'validation-failed']);
        expect((await ask('GET', `/problems/${'a'.repeat(5_000)}`)).status).toBe(404);
      });

      it('answers 400 where a query parameter comes twice, is unknown or no number', async () => {
        const { headers } = await apiKeyOf(await context.server.person(), ['probes:read']);
        const cursor = Buffer.from('0190a1b2-0000-7000-8000-000000000000').toString('base64url');
        expect((await ask('GET', `/v1/probes?limit=1&cursor=${cursor}`, { headers })).status).toBe(200);
        for (const query of [
          'limit=1&limit=2',
          'limit=1&limit=1',
          `cursor=${cursor}&cursor=${cursor}`,
          'limit=many',
          'limit=',
          'limit=101',
          'limit=0',
          'limit=0x10',
          'limit=1e1',
          'limit=%2B5',
          'limit=5.0',
          'limit=%205',
          '__proto__=1',
          'constructor=1',
          'prototype=1',
          'page=2',
          'limit[]=1',
          'cursor=%zz',
          `cursor=${cursor}=`,
          `cursor=${cursor.slice(0, 10)}!${cursor.slice(10)}`,
        ])
          expect([query, (await ask('GET', `/v1/probes?${query}`, { headers })).problem]).toEqual([
            query,
            'validation-failed',
          ]);
      });
    });

    describe('query parameters', () => {
      const errorsOf = (answer: RawAnswer) => JSON.parse(answer.text).errors;

      it('that a route of the API does not know are refused, by name', async () => {
        const session = await sessionOf(await context.server.person());
        for (const [method, path] of [
          ['GET', '/v1/probes/principal'],
          ['GET', '/v1/users/me'],
          ['HEAD', '/v1/users/me'],
          ['GET', '/v1/probes'],
          ['POST', '/v1/probes'],
          ['DELETE', '/v1/sessions/current'],
          ['POST', '/v1/email-verifications'],
        ] as const)
          for (const name of ['page', '__proto__', 'constructor', 'prototype', 'hasOwnProperty']) {
            const answer = await ask(method, `${path}?${name}=1`, { headers: session.headers });
            expect([method, path, name, answer.status]).toEqual([method, path, name, 400]);
            if (method !== 'HEAD')
              expect([path, errorsOf(answer)]).toEqual([
                path,
                [{ pointer: `/${name}`, detail: 'is not a field of this request' }],
              ]);
          }
        expect((await ask('GET', '/v1/probes/principal', { headers: session.headers })).status).toBe(200);
        expect((await ask('GET', '/v1/probes/principal?page=1')).problem).toBe('credential-required');
      });

      it('are ignored by pages, documents, health and the endpoints of OAuth', async () => {
        for (const path of [
          '/docs',
          '/openapi.json',
          '/health/live',
          '/health/ready',
          '/verify',
          '/problems/csrf',
          '/.well-known/jwks.json',
          '/.well-known/oauth-authorization-server',
        ])
          expect([path, (await ask('GET', `${path}?utm_source=x&__proto__=1`)).status]).toEqual([path, 200]);
        const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
        const revoked = await ask('POST', '/oauth/revoke?x=1', {
          headers,
          body: 'token_type_hint=x&token=x',
        });
        expect(revoked.status).toBe(200);
      });
    });

    describe('what is no HTTP', () => {
      it('answers 431 to headers that are too large, and to such a URL', async () => {
        expect(
          statusAndProblem(await raw(`GET / HTTP/1.1\r\nHost: x\r\nX-Filler: ${'x'.repeat(20_000)}\r\n\r\n`)),
        ).toEqual([431, 'headers-too-large']);
        const url = `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`;
        expect(statusAndProblem(await raw(url))).toEqual([431, 'headers-too-large']);
      });

      it.each([
        ['garbage', 'hello\r\n\r\n'],
        ['a method that nobody knows', 'FOO / HTTP/1.1\r\nHost: x\r\n\r\n'],
        [
          'a length and chunks',
          'POST /v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
        ],
        [
          'two lengths',
          'POST /v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
        ],
        ['a bare line feed in a header', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\nb\r\n\r\n'],
      ])('answers 400 to %s', async (_name, bytes) => {
        expect(statusAndProblem(await raw(bytes))).toEqual([400, 'malformed-request']);
      });

      it('leaves a request without Host to Node, which answers 400', async () => {
        expect((await raw('GET /health/live HTTP/1.1\r\n\r\n')).status).toBe(400);
      });

      it('tells why as a problem with an id, closes, and goes on serving', async () => {
        const { headers, text } = await raw('hello\r\n\r\n');
        expect(JSON.parse(text)).toEqual({
          type: '/problems/malformed-request',
          title: 'The request cannot be read',
          status: 400,
          detail: 'This is not HTTP as the server reads it.',
          instance: headers['x-request-id'],
        });
        expect(headers.connection).toBe('close');
        expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
        expect((await ask('GET', '/health/live')).status).toBe(200);
      });
    });
  });
});
