import { describe, expect, it } from '@jest/globals';
import { All, Controller, Get, Module, Param, Post, VERSION_NEUTRAL, VersioningType } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiParam, ApiResponse } from '@nestjs/swagger';
import { Authenticated, Public } from '../../src/auth/authenticated.decorator.js';
import { RouteDeclarationError, RouteTable } from '../../src/auth/route-table.js';
import { postForm } from '../support/form.js';
import { InProcessServer } from '../support/in-process.js';
import { jwtOf } from '../support/modes/jwt.js';
import { useStarted } from '../support/server.js';

const ISSUER = 'http://auth.example.com';
const LIMIT = { requests: 2, windowSeconds: 60 };

@Controller('parcels')
class ParcelsController {
  @Get(':id')
  @Authenticated({ modes: ['session'], resource: 'parcels/:id' })
  @ApiResponse({ status: 200 })
  show() {
    return { version: 1 };
  }

  @Post('reports')
  @Public({ rateLimit: { policy: 'parcel-reports', ...LIMIT } })
  report() {
    return {};
  }
}

@Controller({ path: 'parcels', version: '2' })
class SecondParcelsController {
  @Get(':id')
  @Authenticated({ modes: ['jwt'], resource: 'parcels/:id' })
  @ApiResponse({ status: 200 })
  show() {
    return { version: 2 };
  }
}

@Controller('depots')
class DepotsController {
  @All('any')
  @Authenticated({ modes: ['session'] })
  @ApiResponse({ status: 200 })
  any() {
    return { any: true };
  }

  @Get('files/*')
  @Authenticated({ modes: ['session'] })
  @ApiParam({ name: 'path', schema: { type: 'string' } })
  @ApiResponse({ status: 200 })
  file(@Param('*') path: string) {
    return { path };
  }
}

@Module({ controllers: [ParcelsController] })
class ParcelsModule {}

@Module({ controllers: [DepotsController] })
class DepotsModule {}

@Module({ imports: [DepotsModule, RouterModule.register([{ path: 'logistics', module: DepotsModule }])] })
class LogisticsModule {}

@Module({ controllers: [SecondParcelsController] })
class SecondParcelsModule {}

const modules = [ParcelsModule, LogisticsModule];

describe('routes at other paths than the decorators say', () => {
  /** How a project moves the routes, and where /oauth/token and the parcels of the first version are then. */
  describe.each<
    [string, (app: NestFastifyApplication) => void, prefix: string, parcels: string, headers: object]
  >([
    ['as they are', () => {}, '', '/parcels', {}],
    ['under a global prefix', (app) => app.setGlobalPrefix('api'), '/api', '/api/parcels', {}],
    [
      'under a prefix and with versions in the path',
      (app) => app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
      '/api/v1',
      '/api/v1/parcels',
      {},
    ],
    [
      'with versions in a header',
      (app) =>
        app.enableVersioning({
          type: VersioningType.HEADER,
          header: 'X-Version',
          defaultVersion: VERSION_NEUTRAL,
        }),
      '',
      '/parcels',
      {},
    ],
  ])('%s', (_name, configure, prefix, parcels) => {
    const context = useStarted(() => InProcessServer.start({ modules, configure, env: { ISSUER } }));
    const get = (path: string) => context.server.anonymous.get(prefix + path);

    it('are guarded as they declare', async () => {
      expect((await context.server.anonymous.get(`${parcels}/1`)).problem).toBe('credential-required');
      for (const path of ['/v1/probes', '/logistics/depots/any', '/logistics/depots/files/a/b'])
        expect([path, (await get(path)).problem]).toEqual([path, 'credential-required']);
      expect((await get('/health/live')).status).toBe(200);
    });

    it('are in the table where the router has them', async () => {
      const paths = context.server.app
        .get(RouteTable)
        .all()
        .map(({ method, path }) => `${method} ${path}`);
      expect(paths).toEqual(
        expect.arrayContaining([
          `GET ${parcels}/:id`,
          `POST ${prefix}/oauth/token`,
          `ALL ${prefix}/logistics/depots/any`,
          `GET ${prefix}/logistics/depots/files/*`,
        ]),
      );
    });

    it('are no more public in the API reference than they are', async () => {
      const { body } = await get('/openapi.json');
      expect(body.paths[`${parcels}/{id}`].get.security).not.toContainEqual({});
      expect(body.paths[`${prefix}/v1/probes`].post.security).toHaveLength(4);
      expect(body.paths[`${prefix}/logistics/depots/files/{path}`].get.security).toEqual([{ session: [] }]);
      for (const method of ['get', 'post', 'put', 'patch', 'delete'])
        expect(body.paths[`${prefix}/logistics/depots/any`][method].security).toEqual([{ session: [] }]);
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

    it('name pages of problems that are there', async () => {
      const { type } = (await get('/v1/probes')).body;
      expect(type).toBe(`${prefix}/problems/credential-required`);
      expect((await context.server.anonymous.get(type)).status).toBe(200);
    });

    it('take forms under /oauth and answer in its form', async () => {
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

    it('count the rate limits that they declare', async () => {
      const report = () => context.server.anonymous.post(`${parcels}/reports`);
      expect((await report()).headers.get('ratelimit')).toContain('r=1');
      await report();
      expect((await report()).problem).toBe('rate-limited');
    });

    it.each(['/docs', '/verify', '/problems/csrf'])(
      'serve the page %s with all that it loads',
      async (page) => {
        const { status, body } = await get(page);
        expect(status).toBe(200);
        for (const [, reference] of (body as string).matchAll(/(?:src|href)="([^"]*)"/g)) {
          if (reference!.startsWith('data:')) continue;
          const { pathname } = new URL(reference!, `http://server${prefix}${page}`);
          expect([pathname, (await context.server.anonymous.get(pathname)).status]).toEqual([pathname, 200]);
        }
      },
    );

    it('are where mails and Location headers say', async () => {
      await context.server.anonymous.post(`${prefix}/v1/users`, {
        email: 'reader@example.com',
        password: 'correct horse battery staple',
      });
      expect((await context.server.mails()).at(-1)).toContain(`${ISSUER}${prefix}/verify#`);
    });
  });

  it('can be excluded from a prefix, as the metadata must be for clients to find it', async () => {
    const server = await InProcessServer.start({
      modules,
      env: { ISSUER },
      configure: (app) =>
        app.setGlobalPrefix('api', { exclude: ['.well-known/oauth-authorization-server', 'health/live'] }),
    });
    const { body } = await server.anonymous.get('/.well-known/oauth-authorization-server');
    expect(body.token_endpoint).toBe(`${ISSUER}/api/oauth/token`);
    expect((await server.anonymous.post('/health/live')).headers.get('allow')).toBe('GET, HEAD');
    expect((await server.anonymous.get('/api/openapi.json')).body.paths['/health/live'].get.security).toEqual(
      [{}],
    );
    await server.stop();
  });

  it('are told apart by a version in a header', async () => {
    const server = await InProcessServer.start({
      modules: [...modules, SecondParcelsModule],
      configure: (app) =>
        app.enableVersioning({
          type: VersioningType.HEADER,
          header: 'X-Version',
          defaultVersion: VERSION_NEUTRAL,
        }),
    });
    const jwt = await jwtOf(await server.person());
    expect((await jwt.get('/parcels/1')).problem).toBe('mode-not-accepted');
    expect((await jwt.get('/parcels/1', { headers: { 'X-Version': '2' } })).body).toEqual({ version: 2 });
    await server.stop();
  });

  it('stop the start where Nest and Fastify would not read them alike, and name each', async () => {
    @Controller('odd')
    class OddController {
      @Get('*named')
      @Public()
      named() {}

      @Get('optional{/:id}')
      @Public()
      optional() {}

      @Get(':from-:to')
      @Public()
      twoInOne() {}
    }
    @Module({ controllers: [OddController] })
    class OddModule {}
    const error = await InProcessServer.start({ modules: [OddModule] }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(RouteDeclarationError);
    const { faults } = error as RouteDeclarationError;
    expect(faults.map((fault) => fault.split(' has ')[0])).toEqual([
      'GET /odd/*named (OddController.named)',
      'GET /odd/optional{/:id} (OddController.optional)',
      'GET /odd/:from-:to (OddController.twoInOne)',
    ]);
  });
});
