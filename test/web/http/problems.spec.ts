import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BadRequestException,
  ConflictException,
  Controller,
  ForbiddenException,
  Get,
  HttpException,
  Module,
  NotFoundException,
  Param,
  ServiceUnavailableException,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Public } from '../../../src/auth/authenticated.decorator.js';
import { InProcessServer } from '../../support/in-process.js';
import { sessionOf } from '../../support/modes/session.js';
import { useStarted } from '../../support/server.js';

/** What a library, a service that is called or a careless line may throw. */
const FAULTS: Record<string, unknown> = {
  error: new Error('nobody should read this'),
  text: 'nobody should read this',
  nothing: undefined,
  'answer-of-a-service': Object.assign(new Error('nobody should read this'), { code: 'X', statusCode: 404 }),
  'full-disk': Object.assign(new Error('nobody should read this'), { code: 'FST_FULL', statusCode: 507 }),
  'missing-file': Object.assign(new Error('nobody should read this'), { code: 'ENOENT', syscall: 'open' }),
};

/** What somebody who knows Nest throws. */
const EXCEPTIONS: Record<string, HttpException> = {
  forbidden: new ForbiddenException('Not on Sundays'),
  'not-found': new NotFoundException('No such thing'),
  unavailable: new ServiceUnavailableException('the password of the queue is wrong'),
  'unavailable-with-fields': new ServiceUnavailableException({ queue: 'the password of the queue is wrong' }),
  conflict: new ConflictException({ message: 'Taken', free: ['ada2'], status: 200, instance: 'mine' }),
  typed: new ConflictException({ type: 'https://example.com/taken', title: 'Taken', detail: 'By Ada' }),
  list: new BadRequestException(['a must be a number', 'b must be a text']),
};

/** What plugins of Fastify throw, such as @fastify/multipart. */
const REFUSALS: Record<string, { code: string; message: string }> = {
  413: { code: 'FST_REQ_FILE_TOO_LARGE', message: 'request file too large' },
  406: { code: 'FST_INVALID_MULTIPART_CONTENT_TYPE', message: 'the request is not multipart' },
};

@Controller('v1/faults')
class FaultsController {
  @Get(':name')
  @Public()
  fail(@Param('name') name: string): never {
    throw FAULTS[name];
  }

  @Get('refusals/:status')
  @Public()
  refuse(@Param('status') status: string): never {
    const { code, message } = REFUSALS[status]!;
    throw Object.assign(new Error(message), { name: 'FastifyError', code, statusCode: Number(status) });
  }

  @Get('exceptions/:name')
  @Public()
  except(@Param('name') name: string): never {
    throw EXCEPTIONS[name]!;
  }
}

@Module({ controllers: [FaultsController] })
class FaultsModule {}

describe('a problem', () => {
  const context = useStarted(() => InProcessServer.start({ modules: [FaultsModule] }));

  it('is what RFC 9457 describes, and nothing else', async () => {
    const { status, headers, body } = await context.server.anonymous.get('/v1/nowhere');
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect({ status, body }).toEqual({
      status: 404,
      body: {
        type: '/problems/not-found',
        title: 'Not found',
        status: 404,
        detail: 'There is no such route. The API reference lists all routes.',
        instance: headers.get('x-request-id'),
      },
    });
  });

  it.each([
    ['GET', '/v1/probes/principal', 401, 'credential-required'],
    ['GET', '/v1/probes/principal?access_token=x', 400, 'credential-in-url'],
    ['GET', '/%zz', 400, 'malformed-request'],
    ['PUT', '/v1/probes', 405, 'method-not-allowed'],
    ['POST', '/v1/users', 400, 'validation-failed'],
    ['POST', '/v1/tokens/refresh', 401, 'invalid-refresh-token'],
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
    it.each(Object.keys(FAULTS))('says no more than that: %s', async (fault) => {
      const { status, body, headers } = await context.server.anonymous.get(`/v1/faults/${fault}`);
      expect({ status, body }).toEqual({
        status: 500,
        body: {
          type: '/problems/internal-error',
          title: 'Something went wrong here',
          status: 500,
          detail: 'The server made a mistake. It is logged.',
          instance: headers.get('x-request-id'),
        },
      });
    });

    it('is in the log under its id, with what was thrown', async () => {
      const { body } = await context.server.anonymous.get('/v1/faults/error');
      const logged = context.server
        .entries()
        .find(({ level, requestId }) => level === 'error' && requestId === body.instance);
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

  it('is no fault of the server where a client hangs up in the middle of its body', async () => {
    const { server } = context;
    const before = server.log.length;
    const accepted = once(server.app.getHttpServer(), 'connection');
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write('POST /v1/email-verifications HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n');
    socket.write('Content-Length: 100\r\n\r\n{"email":');
    const [connection] = (await accepted) as [Socket];
    await once(connection, 'data');
    socket.destroy();
    await once(connection, 'close');
    await sleep(50);
    const levels = server
      .entries()
      .slice(before)
      .map(({ level }) => level);
    expect(levels).not.toContain('error');
  });
});

describe('a validation error', () => {
  const context = useStarted(() => InProcessServer.start());
  const errorsOf = async (body: unknown, path = '/v1/email-verifications') => {
    const answer = await context.server.anonymous.post(path, body);
    expect([answer.status, answer.problem]).toEqual([400, 'validation-failed']);
    return answer.body.errors;
  };
  const pointers = async (body: unknown, path?: string) =>
    (await errorsOf(body, path)).map(({ pointer }: { pointer: string }) => pointer).toSorted();

  it('names every field that is wrong, at once', async () => {
    expect(await pointers({ email: 'nobody', password: 7, name: '' }, '/v1/users')).toEqual([
      '/email',
      '/name',
      '/password',
    ]);
  });

  it('says what is wrong in words, without what was sent', async () => {
    const errors = await errorsOf({ email: 'ada@', password: 'hunter2-hunter2', more: 1 }, '/v1/users');
    expect(errors).toContainEqual({ pointer: '/email', detail: 'must be an email address' });
    expect(errors).toContainEqual({ pointer: '/more', detail: 'is not a field of this request' });
    expect(JSON.stringify(errors)).not.toMatch(/ada@|hunter2/);
  });

  it('points to the whole body with the empty pointer', async () => {
    for (const body of [undefined, '[]', '"x"', 'null', '7']) expect(await pointers(body)).toEqual(['']);
  });

  it('refuses a body where none is expected, and does nothing', async () => {
    const session = await sessionOf(await context.server.person());
    const sent = { 'a/b': 1, c: 2 };
    const remove = (body: unknown) => session.delete('/v1/sessions/current', { body });
    const refused = [await remove(sent), await remove('[]'), await remove('7')];
    expect(refused.map(({ status, problem }) => [status, problem])).toEqual(
      refused.map(() => [400, 'validation-failed']),
    );
    expect(refused.map(({ body }) => body.errors[0].pointer)).toEqual(['/a~1b', '', '']);
    expect(refused[0]!.body.errors[1]).toEqual({ pointer: '/c', detail: 'is not a field of this request' });
    expect((await session.get('/v1/sessions/current')).status).toBe(200);
    expect((await remove({})).status).toBe(204);
  });

  it('escapes ~ and / in pointers, as RFC 6901 says', async () => {
    const email = 'ada@example.com';
    expect(await pointers({ email, 'a/b': 1, 'c~d': 1, '~1': 1, '': 1, 'é "x"': 1 })).toEqual(
      ['/a~1b', '/c~0d', '/~01', '/', '/é "x"'].toSorted(),
    );
  });

  it('points into arrays, and to a query parameter by its name', async () => {
    const session = await sessionOf(await context.server.person());
    const { body } = await session.post('/v1/api-keys', { name: 'x', scopes: ['probes:read', 'none'] });
    expect(body.errors).toEqual([{ pointer: '/scopes/1', detail: expect.any(String) }]);
    const answer = await session.get('/v1/probes?limit=101&page=1');
    expect(answer.body.errors).toEqual([
      { pointer: '/limit', detail: 'must be a whole number from 1 to 100' },
      { pointer: '/page', detail: 'is not a field of this request' },
    ]);
  });

  it('points to a parameter of the path by its name', async () => {
    const session = await sessionOf(await context.server.person());
    for (const path of ['/v1/probes/x', '/v1/sessions/x', '/v1/api-keys/x']) {
      const { body } = await session.delete(path);
      expect([path, body.errors]).toEqual([path, [{ pointer: '/id', detail: 'is no id' }]]);
    }
  });

  it('does not grow with the request', async () => {
    const many = Object.fromEntries(Array.from({ length: 9_000 }, (_, i) => [`k${i}`, 1]));
    expect(await errorsOf(many)).toHaveLength(50);
  });
});
