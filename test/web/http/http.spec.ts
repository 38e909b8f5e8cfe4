import { describe, expect, it } from '@jest/globals';
import { anyone } from '../../support/modes/any.js';
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
    ask('POST', '/v1/probes/echo', { body, headers, chunked });

  describe('the server over HTTP', () => {
    describe('routes', () => {
      it('answers 404 to an unknown path, with any method and body', async () => {
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
        // room: users
        ['POST', '/v1/users/me/password', 'PUT'],
        ['HEAD', '/v1/users', 'POST'],
        // /room
        ['OPTIONS', '/v1/probes', 'GET, HEAD, POST'],
        ['TRACE', '/v1/probes', 'GET, HEAD, POST'],
        ['PROPFIND', '/v1/probes', 'GET, HEAD, POST'],
        ['QUERY', '/v1/probes', 'GET, HEAD, POST'],
        ['POST', '/health/live', 'GET, HEAD'],
      ])('[V4.1.4] answers 405 to %s %s and names what it allows', async (method, path, allow) => {
        const { status, headers, problem } = await ask(method, path);
        expect([status, headers.allow]).toEqual([405, allow]);
        expect(problem).toBe(method === 'HEAD' ? '' : 'method-not-allowed');
      });

      it('[V13.4.4] answers 405 before it looks at the body or asks for a credential', async () => {
        const options = { headers: JSON_TYPE, body: '{' };
        expect((await ask('PATCH', '/v1/probes', options)).status).toBe(405);
      });

      it('matches a path exactly: no further slash, no other case', async () => {
        for (const path of ['/v1/probes/', '//v1/probes', '/v1//probes', '/V1/probes', '/v1/probes/x/y'])
          expect([path, ...statusAndProblem(await ask('GET', path))]).toEqual([path, 404, 'not-found']);
      });

      it('[V3.5.3] answers HEAD like GET, without the body', async () => {
        const head = await ask('HEAD', '/health/live');
        expect([head.status, head.text]).toEqual([200, '']);
        expect(head.headers['content-length']).toBe(
          (await ask('GET', '/health/live')).headers['content-length'],
        );
      });
    });

    describe('bodies', () => {
      const accepted = JSON.stringify({ note: 'A probe' });

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

      it('[V3.5.2] refuses a body without a content type', async () => {
        expect(statusAndProblem(await post(accepted, {}))).toEqual([415, 'unsupported-media-type']);
      });

      it('reads 100 kB and refuses one byte more, with and without Content-Length', async () => {
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
        ['broken JSON', '{"note":'],
        ['JSON with something behind it', `${accepted} x`],
        ['a comment', `${accepted} // x`],
        ['__proto__', '{"__proto__":{}}'],
        ['__proto__ in an array', '{"note":[{"__proto__":1}]}'],
        ['__proto__ in escapes', String.raw`{"\u005f_proto__":{}}`],
        ['constructor.prototype', '{"a":{"constructor":{"prototype":{}}}}'],
        ['bytes that are not UTF-8', Buffer.from([...Buffer.from('{"note":"'), 0xff, 0x22, 0x7d])],
        ['a surrogate in UTF-8', Buffer.from([...Buffer.from('{"note":"'), 0xed, 0xa0, 0x80, 0x22, 0x7d])],
      ])('refuses %s', async (_name, body) => {
        expect(statusAndProblem(await post(body))).toEqual([400, 'malformed-request']);
      });

      it('reads JSON of 20 levels and refuses one more', async () => {
        const nested = (levels: number) =>
          post(`{"note":"deep","data":{"a":${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}}}`);
        expect((await nested(20)).status).toBe(202);
        expect(statusAndProblem(await nested(21))).toEqual([400, 'malformed-request']);
        // Brackets in a text have no depth.
        expect((await post(JSON.stringify({ note: '['.repeat(50) }))).status).toBe(202);
      });

      it('answers a missing body with the missing fields, whatever the headers say', async () => {
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
            const answer = await ask('POST', '/v1/probes/echo', { headers, ...options });
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
          expect(statusAndProblem(await chunked('POST /v1/probes/echo'))).toEqual([400, 'validation-failed']);
          expect((await chunked('GET /health/live')).status).toBe(200);
        },
      );
      it('refuses a credential in the URL before it looks at the body', async () => {
        const headers = { ...JSON_TYPE, 'Content-Encoding': 'gzip' };
        const answer = await ask('POST', '/v1/probes/echo?token=x', { headers, body: '{}' });
        expect(statusAndProblem(answer)).toEqual([400, 'credential-in-url']);
      });

      it('ignores an unknown Expect header', async () => {
        const headers = { ...JSON_TYPE, Expect: 'nothing' };
        const answer = await ask('POST', '/v1/probes/echo', { headers, body: '{}' });
        expect(statusAndProblem(answer)).toEqual([400, 'validation-failed']);
      });

      it('answers if headers and an empty chunked body arrive together', async () => {
        const answer = await pipeline(
          context.server.url,
          'POST /v1/probes/echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        );
        expect(answer).toMatch(/^HTTP\/1.1 400 [^]*validation-failed/);
      });

      it('accepts a DELETE without a body, also with the headers of one', async () => {
        const client = await anyone(context.server);
        const remove = async (type: Record<string, string>, body?: string) => {
          const { id } = (await client.post('/v1/probes', { note: 'A probe' })).body;
          const headers = { ...client.headers, ...type };
          return ask('DELETE', `/v1/probes/${id}`, { headers, ...(body === '' && { body }) });
        };
        const type = { 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip' };
        for (const answer of [await remove(type), await remove(type, ''), await remove({}, '')])
          expect(statusAndProblem(answer)).toEqual([204, undefined]);
      });

      // room: oauth
      it('answers a form without fields as one that lacks the client', async () => {
        const form = await ask('POST', '/oauth/token', { headers: JSON_TYPE, body: '' });
        expect([form.status, JSON.parse(form.text).error]).toEqual([401, 'invalid_client']);
      });
      // /room

      it('refuses a body with a Content-Encoding and names `identity`', async () => {
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
        // room: oauth
        const form = await ask('POST', '/oauth/token', { headers, body: 'grant_type=x' });
        expect([form.status, form.headers['accept-encoding']]).toEqual([415, 'identity']);
        // /room
        expect((await ask('POST', '/v1/nowhere', { headers, body: 'x' })).status).toBe(404);
      });

      it('keeps every key of free data as it was sent', async () => {
        const data = {
          constructor: 'x',
          prototype: { constructor: { name: 'y' } },
          list: [{ constructor: null, prototype: false }],
        };
        const answer = await post(JSON.stringify({ note: 'keys', data }));
        expect([answer.status, JSON.parse(answer.text).data]).toEqual([202, data]);
      });

      it('[V15.3.6] refuses `constructor` and `prototype` like any other unknown field', async () => {
        const { text } = await post('{"note":"A probe","constructor":1,"prototype":1}');
        expect(JSON.parse(text).errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
          '/constructor',
          '/prototype',
        ]);
      });
    });

    describe('URLs', () => {
      it('[V1.1.1] answers 400 to an invalid escape', async () => {
        for (const path of ['/%zz', '/v1/probes/%', '/v1/probes/%e0%a4%a'])
          expect(statusAndProblem(await ask('GET', path))).toEqual([400, 'malformed-request']);
      });

      it('checks the credential first, and then refuses a long id', async () => {
        const path = `/v1/probes/${'a'.repeat(5_000)}`;
        expect((await ask('GET', path)).status).toBe(401);
        const { headers } = await anyone(context.server);
        expect(statusAndProblem(await ask('GET', path, { headers }))).toEqual([400, 'validation-failed']);
        expect((await ask('GET', `/problems/${'a'.repeat(5_000)}`)).status).toBe(404);
      });

      it('[V15.3.5] [V15.3.7] answers 400 if a query parameter is repeated, unknown or not a number', async () => {
        const { headers } = await anyone(context.server);
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

      it('are refused by name if the route does not know them', async () => {
        const { headers } = await anyone(context.server);
        for (const [method, path] of [
          ['GET', '/v1/probes/principal'],
          ['GET', '/v1/probes'],
          ['HEAD', '/v1/probes'],
          ['POST', '/v1/probes'],
          ['DELETE', '/v1/probes/0190a1b2-0000-7000-8000-000000000000'],
          ['POST', '/v1/probes/echo'],
          // room: sessions
          ['GET', '/v1/users/me'],
          ['HEAD', '/v1/users/me'],
          ['DELETE', '/v1/sessions/current'],
          // /room
        ] as const)
          for (const name of ['page', '__proto__', 'constructor', 'prototype', 'hasOwnProperty']) {
            const answer = await ask(method, `${path}?${name}=1`, { headers });
            expect([method, path, name, answer.status]).toEqual([method, path, name, 400]);
            if (method !== 'HEAD')
              expect([path, errorsOf(answer)]).toEqual([
                path,
                [{ pointer: `/${name}`, detail: expect.stringMatching(/^is not a /) }],
              ]);
          }
        expect((await ask('GET', '/v1/probes/principal', { headers })).status).toBe(200);
        expect((await ask('GET', '/v1/probes/principal?page=1')).problem).toBe('credential-required');
      });

      it.each([
        '/docs',
        '/openapi.json',
        '/health/live',
        '/health/ready',
        // room: users
        '/verify',
        // /room
        '/problems/csrf',
        // room: jwt
        '/.well-known/jwks.json',
        // /room
        // room: oauth
        '/.well-known/oauth-authorization-server',
        // /room
      ])('are ignored by %s', async (path) => {
        expect((await ask('GET', `${path}?utm_source=x&__proto__=1`)).status).toBe(200);
      });

      // room: oauth
      it('are ignored by the endpoints of OAuth', async () => {
        const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
        const body = 'token_type_hint=x&token=x';
        expect((await ask('POST', '/oauth/revoke?x=1', { headers, body })).status).toBe(200);
      });
      // /room
    });

    describe('bytes that are not HTTP', () => {
      it('[V4.2.5] answers 431 to headers that are too large, and to such a URL', async () => {
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
      ])('[V4.2.1] answers 400 to %s', async (_name, bytes) => {
        expect(statusAndProblem(await raw(bytes))).toEqual([400, 'malformed-request']);
      });

      it('leaves a request without Host to Node, which answers 400', async () => {
        expect((await raw('GET /health/live HTTP/1.1\r\n\r\n')).status).toBe(400);
      });

      it('answers with a problem and an id, closes the connection, and still works', async () => {
        const { headers, text } = await raw('hello\r\n\r\n');
        expect(JSON.parse(text)).toEqual({
          type: '/problems/malformed-request',
          title: 'Malformed request',
          status: 400,
          detail: 'The request must be valid HTTP.',
          instance: headers['x-request-id'],
        });
        expect(headers.connection).toBe('close');
        expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
        expect((await ask('GET', '/health/live')).status).toBe(200);
      });
    });
  });
});
