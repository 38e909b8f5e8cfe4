import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { anyone, signIn } from '../../support/modes/any.js';
import { useServer } from '../../support/server.js';
import { until } from '../../support/until.js';
import type { Connections } from './problems.fixture.js';

/** Of the fixture: what a library, a called service or a mistake can throw. */
const FAULTS = ['error', 'text', 'nothing', 'answer-of-a-service', 'full-disk', 'missing-file'];

describe('a problem', () => {
  const context = useServer({ fixture: 'test/web/http/problems.fixture.ts#faults' });

  it('[V4.1.1] has the fields of RFC 9457 and no others', async () => {
    const { status, headers, body } = await context.server.anonymous.get('/v1/nowhere');
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect({ status, body }).toEqual({
      status: 404,
      body: {
        type: '/problems/not-found',
        title: 'Not found',
        status: 404,
        detail: 'Not found. The API reference lists all routes.',
        instance: headers.get('x-request-id'),
      },
    });
  });

  it.each([
    ['GET', '/v1/probes/principal', 401, 'credential-required'],
    ['GET', '/v1/probes/principal?access_token=x', 400, 'credential-in-url'],
    ['GET', '/%zz', 400, 'malformed-request'],
    ['PUT', '/v1/probes', 405, 'method-not-allowed'],
    ['POST', '/v1/probes/echo', 400, 'validation-failed'],
    // room: tokens
    ['POST', '/v1/tokens/refresh', 401, 'invalid-refresh-token'],
    // /room
    ['GET', '/problems/none', 404, 'not-found'],
    ['GET', '/docs/none', 404, 'not-found'],
    ['GET', '/v1/faults/error', 500, 'internal-error'],
  ])('is the answer to %s %s: %i %s', async (method, path, status, slug) => {
    const answer = await context.server.anonymous.call(method, path);
    expect([answer.status, answer.problem]).toEqual([status, slug]);
    expect(answer.body).toMatchObject({
      type: `/problems/${slug}`,
      title: expect.any(String),
      status,
      detail: expect.any(String),
      instance: answer.headers.get('x-request-id'),
    });
  });

  it('has an id that the client cannot choose', async () => {
    const headers = { 'X-Request-Id': 'mine', 'Request-Id': 'mine' };
    const first = await context.server.anonymous.get('/v1/nowhere', { headers });
    const second = await context.server.anonymous.get('/v1/nowhere', { headers });
    expect(first.body.instance).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(second.body.instance).not.toBe(first.body.instance);
  });

  describe('of the server itself', () => {
    it.each(FAULTS)('[V16.5.1] reveals nothing: %s', async (fault) => {
      const { status, body, headers } = await context.server.anonymous.get(`/v1/faults/${fault}`);
      expect({ status, body }).toEqual({
        status: 500,
        body: {
          type: '/problems/internal-error',
          title: 'Internal error',
          status: 500,
          detail: 'The server failed. Its log has the details.',
          instance: headers.get('x-request-id'),
        },
      });
    });

    it('[V13.4.2] [V16.3.4] is in the log under its id, with what was thrown', async () => {
      const { body } = await context.server.anonymous.get('/v1/faults/error');
      const logged = (await context.server.entries()).find(
        ({ level, requestId }) => level === 'error' && requestId === body.instance,
      );
      expect(logged).toMatchObject({
        msg: 'unexpected error',
        err: { message: 'nobody should read this', stack: expect.stringContaining('http/problems') },
      });
    });
  });

  it.each([
    ['forbidden', 403, 'Forbidden', 'Not on Sundays'],
    ['not-found', 404, 'Not Found', 'No such thing'],
    ['unavailable', 503, 'Service Unavailable', 'Service Unavailable'],
  ])('says the status of an exception of Nest: %s', async (name, status, title, detail) => {
    const { body } = await context.server.anonymous.get(`/v1/faults/exceptions/${name}`);
    expect(body).toEqual({ type: 'about:blank', title, status, detail, instance: expect.any(String) });
  });

  it('keeps the fields of an exception of Nest that was made with an object', async () => {
    const bodyOf = async (name: string) =>
      (await context.server.anonymous.get(`/v1/faults/exceptions/${name}`)).body;
    const instance = expect.stringMatching(/^[0-9a-f-]{36}$/);
    const conflict = { type: 'about:blank', title: 'Conflict', status: 409, instance };
    expect(await bodyOf('conflict')).toEqual({ ...conflict, detail: 'Taken', free: ['ada2'] });
    expect(await bodyOf('typed')).toEqual({
      type: 'https://example.com/taken',
      title: 'Taken',
      status: 409,
      detail: 'By Ada',
      instance,
    });
    expect(await bodyOf('list')).toMatchObject({
      status: 400,
      title: 'Bad Request',
      message: ['a must be a number', 'b must be a text'],
    });
    expect(await bodyOf('unavailable-with-fields')).toEqual({
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      detail: 'Service Unavailable',
      instance,
    });
  });

  it.each([
    [413, 'Payload Too Large', 'request file too large'],
    [406, 'Not Acceptable', 'the request is not multipart'],
  ])('has the status that a plugin refuses with: %i', async (status, title, detail) => {
    const { body } = await context.server.anonymous.get(`/v1/faults/refusals/${status}`);
    expect(body).toEqual({ type: 'about:blank', title, status, detail, instance: expect.any(String) });
  });

  it('[V16.5.4] is no error of the server if a client hangs up in the middle of its body', async () => {
    const { server } = context;
    const before = (await server.log()).length;
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write('POST /v1/probes/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n');
    socket.write('Content-Length: 100\r\n\r\n{"note":');
    await once(socket, 'connect');
    const port = socket.localPort!;
    const connections = server.provider<Connections>('Connections');
    await until(async () => ((await connections.bytesRead(port)) ?? 0) > 0);
    socket.destroy();
    await until(async () => (await connections.bytesRead(port)) === undefined);
    const levels = (await server.entries()).slice(before).map(({ level }) => level);
    expect(levels).not.toContain('error');
  });
});

describe('a validation error', () => {
  const context = useServer();
  const errorsOf = async (body: unknown, path = '/v1/probes/echo') => {
    const answer = await context.server.anonymous.post(path, body);
    expect([answer.status, answer.problem]).toEqual([400, 'validation-failed']);
    return answer.body.errors;
  };
  const pointers = async (body: unknown) =>
    (await errorsOf(body)).map(({ pointer }: { pointer: string }) => pointer).toSorted();

  it('[V2.2.2] names every field that is wrong, at once', async () => {
    expect(await pointers({ note: 7, data: 'x', more: 1 })).toEqual(['/data', '/more', '/note']);
  });

  // room: users
  it('explains the fault without repeating the value', async () => {
    const errors = await errorsOf({ email: 'ada@', password: 'hunter2-hunter2', more: 1 }, '/v1/users');
    expect(errors).toContainEqual({ pointer: '/email', detail: 'must be an email address' });
    expect(errors).toContainEqual({ pointer: '/more', detail: 'is not a field of this request' });
    expect(JSON.stringify(errors)).not.toMatch(/ada@|hunter2/);
  });
  // /room

  it('points to the whole body with the empty pointer', async () => {
    for (const body of [undefined, '[]', '"x"', 'null', '7']) expect(await pointers(body)).toEqual(['']);
  });

  it('refuses a body on a route without one, and changes nothing', async () => {
    const client = await anyone(context.server);
    const { id } = (await client.post('/v1/probes', { note: 'A probe' })).body;
    const remove = (body: unknown) => client.delete(`/v1/probes/${id}`, { body });
    const refused = [await remove({ 'a/b': 1, c: 2 }), await remove('[]'), await remove('7')];
    expect(refused.map(({ status, problem }) => [status, problem])).toEqual(
      refused.map(() => [400, 'validation-failed']),
    );
    expect(refused.map(({ body }) => body.errors[0].pointer)).toEqual(['/a~1b', '', '']);
    expect(refused[0]!.body.errors[1]).toEqual({ pointer: '/c', detail: 'is not a field of this request' });
    expect((await client.get(`/v1/probes/${id}`)).status).toBe(200);
    expect((await remove({})).status).toBe(204);
  });

  it('[V1.2.2] escapes ~ and / in pointers, as RFC 6901 says', async () => {
    const note = 'A probe';
    expect(await pointers({ note, 'a/b': 1, 'c~d': 1, '~1': 1, '': 1, 'é "x"': 1 })).toEqual(
      ['/a~1b', '/c~0d', '/~01', '/', '/é "x"'].toSorted(),
    );
  });

  // room: own-api-keys
  it('points into arrays', async () => {
    const client = await signIn(await context.server.person());
    const { body } = await client.post('/v1/api-keys', { name: 'x', scopes: ['probes:read', 'none'] });
    expect(body.errors).toEqual([{ pointer: '/scopes/1', detail: expect.any(String) }]);
  });
  // /room

  it('points to a query parameter by its name', async () => {
    const answer = await (await anyone(context.server)).get('/v1/probes?limit=101&page=1');
    expect(answer.body.errors).toEqual([
      { pointer: '/limit', detail: 'must be a whole number from 1 to 100' },
      { pointer: '/page', detail: 'is not a field of this request' },
    ]);
  });

  it.each([
    '/v1/probes/x',
    // room: sessions
    '/v1/sessions/x',
    // /room
    // room: sessions, own-api-keys
    '/v1/api-keys/x',
    // /room
  ])('points to a parameter of the path %s by its name', async (path) => {
    const { body } = await (await anyone(context.server)).delete(path);
    expect(body.errors).toEqual([{ pointer: '/id', detail: 'must be a UUID' }]);
  });

  it('does not grow with the request', async () => {
    const many = Object.fromEntries(Array.from({ length: 9_000 }, (_, i) => [`k${i}`, 1]));
    expect(await errorsOf(many)).toHaveLength(50);
  });
});
