import { describe, expect, it } from '@jest/globals';
// room: oauth
import { postForm } from '../support/form.js';
// /room
import { credentials } from '../support/modes/any.js';
import { type RemoteOptions, TestServer, useServer } from '../support/server.js';

const ISSUER = 'http://auth.example.com';

const options = (name: string): RemoteOptions => ({
  fixture: `test/auth/paths.fixture.ts#${name}`,
  env: { ISSUER },
});

/** Pages with what they load. */
const PAGES = [
  '/docs',
  // room: users
  '/verify',
  // /room
  '/problems/csrf',
];

describe('routes at other paths than the decorators say', () => {
  /** How a project moves the routes, and where the routes and the parcels of the first version are then. */
  describe.each([
    ['as they are', 'plain', '', '/parcels'],
    ['under a global prefix', 'prefixed', '/api', '/api/parcels'],
    ['under a prefix and with versions in the path', 'versionInPath', '/api/v1', '/api/v1/parcels'],
    ['with versions in a header', 'versionInHeader', '', '/parcels'],
  ])('%s', (_name, fixture, prefix, parcels) => {
    const context = useServer(options(fixture));
    const get = (path: string) => context.server.anonymous.get(prefix + path);

    it('are guarded as they declare', async () => {
      expect((await context.server.anonymous.get(`${parcels}/1`)).problem).toBe('credential-required');
      for (const path of ['/v1/probes', '/logistics/depots/any', '/logistics/depots/files/a/b'])
        expect([path, (await get(path)).problem]).toEqual([path, 'credential-required']);
      expect((await get('/health/live')).status).toBe(200);
    });

    it('are in the table where the router has them', async () => {
      const paths = (await context.server.routes()).map(({ method, path }) => `${method} ${path}`);
      expect(paths).toEqual(
        expect.arrayContaining([
          `GET ${parcels}/:id`,
          `POST ${prefix}/v1/probes`,
          `ALL ${prefix}/logistics/depots/any`,
          `GET ${prefix}/logistics/depots/files/*`,
        ]),
      );
    });

    it('are no more public in the API reference than they are', async () => {
      const { body } = await get('/openapi.json');
      const modes = [...new Set(credentials.map(({ mode }) => mode))].toSorted();
      const any = modes.map((mode) => ({ [mode]: [] }));
      expect(body.paths[`${parcels}/{id}`].get.security).not.toContainEqual({});
      expect(body.paths[`${prefix}/v1/probes`].post.security).toHaveLength(modes.length);
      expect(body.paths[`${prefix}/logistics/depots/files/{path}`].get.security).toEqual(any);
      for (const method of ['get', 'post', 'put', 'patch', 'delete'])
        expect(body.paths[`${prefix}/logistics/depots/any`][method].security).toEqual(any);
      for (const [path, operations] of Object.entries<Record<string, any>>(body.paths))
        for (const [method, { security }] of Object.entries(operations))
          expect([path, method, security]).toEqual([
            path,
            method,
            [expect.any(Object), ...security.slice(1)],
          ]);
    });

    it('answer 405 to other methods', async () => {
      for (const [path, allow] of [
        [`${prefix}/v1/probes`, 'GET, HEAD, POST'],
        [`${parcels}/1`, 'GET, HEAD'],
        [`${prefix}/logistics/depots/files/a/b`, 'GET, HEAD'],
      ]) {
        const answer = await context.server.anonymous.put(path!);
        expect([path, answer.status, answer.headers.get('allow')]).toEqual([path, 405, allow]);
      }
    });

    it('answer 404 in the same form, under the prefix and outside of it', async () => {
      for (const path of [`${prefix}/nowhere`, '/nowhere'])
        expect([path, (await context.server.anonymous.get(path)).problem]).toEqual([path, 'not-found']);
    });

    it('link to the page of a problem', async () => {
      const { type } = (await get('/v1/probes')).body;
      expect(type).toBe(`${prefix}/problems/credential-required`);
      expect((await context.server.anonymous.get(type)).status).toBe(200);
    });

    // room: oauth
    it('accept forms under /oauth and answer in its form', async () => {
      const { anonymous } = context.server;
      const form = await postForm(anonymous, `${prefix}/oauth/token`, { grant_type: 'client_credentials' });
      expect([form.status, form.body.error]).toEqual([401, 'invalid_client']);
      const json = await anonymous.post(`${prefix}/oauth/token`, {});
      expect([json.status, json.body.error]).toEqual([415, 'invalid_request']);
      const wrongMethod = await get('/oauth/token');
      expect([wrongMethod.status, wrongMethod.body.error]).toEqual([405, 'invalid_request']);
    });

    it('are named by the metadata of the authorization server', async () => {
      const { body } = await get('/.well-known/oauth-authorization-server');
      expect(body).toMatchObject({
        token_endpoint: `${ISSUER}${prefix}/oauth/token`,
        jwks_uri: `${ISSUER}${prefix}/.well-known/jwks.json`,
        service_documentation: `${ISSUER}${prefix}/docs`,
      });
    });
    // /room

    it('count the rate limits that they declare', async () => {
      const report = () => context.server.anonymous.post(`${parcels}/reports`);
      expect((await report()).headers.get('ratelimit')).toContain('r=1');
      await report();
      expect((await report()).problem).toBe('rate-limited');
    });

    it.each(PAGES)('serve the page %s with all that it loads', async (page) => {
      const { status, body } = await get(page);
      expect(status).toBe(200);
      for (const [, reference] of (body as string).matchAll(/(?:src|href)="([^"]*)"/g)) {
        if (reference!.startsWith('data:')) continue;
        const { pathname } = new URL(reference!, `http://server${prefix}${page}`);
        expect([pathname, (await context.server.anonymous.get(pathname)).status]).toEqual([pathname, 200]);
      }
    });

    // room: users
    it('are in mails', async () => {
      await context.server.anonymous.post(`${prefix}/v1/users`, {
        email: 'reader@example.com',
        password: 'correct horse battery staple',
      });
      expect((await context.server.mails()).at(-1)).toContain(`${ISSUER}${prefix}/verify#`);
    });
    // /room
  });

  it('can be excluded from a prefix', async () => {
    const server = await TestServer.start(options('excluded'));
    expect((await server.anonymous.post('/health/live')).headers.get('allow')).toBe('GET, HEAD');
    const { paths } = (await server.anonymous.get('/api/openapi.json')).body;
    expect(paths['/health/live'].get.security).toEqual([{}]);
    expect(paths).toHaveProperty(['/api/v1/probes']);
    // room: oauth
    // Clients look for it at the root.
    const { body } = await server.anonymous.get('/.well-known/oauth-authorization-server');
    expect(body.token_endpoint).toBe(`${ISSUER}/api/oauth/token`);
    // /room
    await server.stop();
  });

  it('are told apart by a version in a header', async () => {
    const server = await TestServer.start(options('twoVersions'));
    const { anonymous } = server;
    expect((await anonymous.get('/parcels/1')).problem).toBe('credential-required');
    expect((await anonymous.get('/parcels/1', { headers: { 'X-Version': '2' } })).body).toEqual({
      version: 2,
    });
    await server.stop();
  });

  it('stop the start if Nest and Fastify would read them differently', async () => {
    const started = TestServer.start(options('odd'));
    const error: Error = await started.then(
      () => new Error('it started'),
      (reason) => reason,
    );
    const lines = error.message.split('\n').filter((line) => /^ {2}\S/.test(line));
    expect(lines.map((line) => line.trim().split(' has ')[0])).toEqual([
      'GET /odd/*named (OddController.named)',
      'GET /odd/optional{/:id} (OddController.optional)',
      'GET /odd/:from-:to (OddController.twoInOne)',
    ]);
    expect(error.message).toContain('RouteDeclarationError');
  });
});
