import { describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  Delete,
  Get,
  Module,
  type OnModuleInit,
  Param,
  Post,
  Put,
  Query,
  RawBody,
  Scope as InjectionScope,
  SetMetadata,
} from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { Authenticated, Public } from '../../src/auth/authenticated.decorator.js';
import { CurrentPrincipal } from '../../src/auth/current-principal.decorator.js';
import { Principal } from '../../src/auth/principal.js';
import { RouteDeclarationError, RouteTable } from '../../src/auth/route-table.js';
import { InProcessServer } from '../support/in-process.js';
import { apiKeyOf } from '../support/modes/api-key.js';
import { jwtOf } from '../support/modes/jwt.js';
import { sessionOf } from '../support/modes/session.js';
import { useStarted } from '../support/server.js';

const moduleWith = (...controllers: (new () => object)[]) => {
  @Module({ controllers })
  class ExtraModule {}
  return ExtraModule;
};

/** Starts with more controllers, and says why it does not. */
async function refusalOf(...controllers: (new () => object)[]): Promise<RouteDeclarationError> {
  const started = InProcessServer.start({ modules: [moduleWith(...controllers)] });
  const error = await started.then(
    (server) => server.stop().then(() => new Error('it started')),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RouteDeclarationError);
  return error as RouteDeclarationError;
}

const PIGEON = 'carrier-pigeon' as 'session';

@Controller('bad')
class BadController {
  @Get('undeclared')
  undeclared() {}

  @Get('both')
  @Public()
  @Authenticated({ modes: 'any' })
  both() {}

  @Get('unknown-scope')
  @Authenticated({ modes: 'any', scopes: ['probes:all' as 'probes:read', 'probes:read'] })
  unknownScope() {}

  @Get('unknown-mode')
  @Authenticated({ modes: ['session', PIGEON] })
  unknownMode() {}

  @Get('no-mode')
  @Authenticated({ modes: [] as unknown as ['session'] })
  noMode() {}

  @Get('unknown-word')
  @Authenticated({ modes: 'everybody' as 'any' })
  unknownWord() {}

  @Get('impossible')
  @Authenticated({ modes: ['api-key'], scopes: ['account:security', 'probes:read'] })
  impossible() {}

  @Get('admin-by-key')
  @Authenticated({ modes: ['api-key'], scopes: ['admin:users'] })
  adminByKey() {}

  @Get('recent-machine')
  @Authenticated({ modes: ['api-key'], recentSignIn: true })
  recentMachine() {}
}

@Controller('also-bad')
@Authenticated({ modes: 'any' })
class AlsoBadController {
  @Get()
  @Public()
  publicInside() {}
}

@Controller('worse')
@Public()
class WorseController {
  @Post(['here', 'there'])
  @Authenticated({ modes: 'any' })
  protectedInside() {}
}

describe('a route without a sound declaration', () => {
  it('stops the start, which names every one of them and why', async () => {
    const { faults, message } = await refusalOf(BadController, AlsoBadController, WorseController);
    expect(faults).toEqual([
      'GET /bad/undeclared (BadController.undeclared) declares neither @Public() nor @Authenticated()',
      'GET /bad/both (BadController.both) is both @Public() and @Authenticated()',
      'GET /bad/unknown-scope (BadController.unknownScope) names unknown scopes: probes:all',
      'GET /bad/unknown-mode (BadController.unknownMode) names unknown modes: carrier-pigeon',
      'GET /bad/no-mode (BadController.noMode) accepts no mode that is there',
      'GET /bad/unknown-word (BadController.unknownWord) names unknown modes: everybody',
      'GET /bad/impossible (BadController.impossible) asks for scopes that no mode it accepts can hold: account:security',
      'GET /bad/admin-by-key (BadController.adminByKey) asks for scopes that no mode it accepts can hold: admin:users',
      'GET /bad/recent-machine (BadController.recentMachine) asks for a recent sign-in, but accepts machines only',
      'GET /also-bad (AlsoBadController.publicInside) is both @Public() and @Authenticated()',
      'POST /worse/here (WorseController.protectedInside) is both @Public() and @Authenticated()',
      'POST /worse/there (WorseController.protectedInside) is both @Public() and @Authenticated()',
    ]);
    for (const fault of faults) expect(message).toContain(fault);
  });
});

class SomeDto {
  readonly name!: string;
}

@Controller('unvalidated')
@Public()
class UnvalidatedController {
  @Post('body')
  body(@Body() _body: SomeDto) {}

  @Post('field')
  field(@Body('name') _name: string) {}

  @Get('query')
  query(@Query() _query: SomeDto) {}

  @Get('one-of-query')
  oneOfQuery(@Query('name') _name: string) {}

  @Get('path/:id')
  path(@Param() _parameters: SomeDto) {}

  @Post('raw')
  raw(@RawBody() _body: Buffer) {}

  @Post('sound/:id')
  sound(
    @Param('id') _id: string,
    @Body({ schema: z.string() }) _body: string,
    @Query({ schema: z.object() }) _query: object,
  ) {}
}

describe('a handler that takes what nothing validates', () => {
  it('stops the start, which names it', async () => {
    const { faults } = await refusalOf(UnvalidatedController);
    const without = (decorator: string) => `takes ${decorator}() without a schema, so nothing validates it`;
    expect(faults).toEqual([
      `POST /unvalidated/body (UnvalidatedController.body) ${without('@Body')}`,
      `POST /unvalidated/field (UnvalidatedController.field) ${without('@Body')}`,
      `GET /unvalidated/query (UnvalidatedController.query) ${without('@Query')}`,
      `GET /unvalidated/one-of-query (UnvalidatedController.oneOfQuery) ${without('@Query')}`,
      `GET /unvalidated/path/:id (UnvalidatedController.path) ${without('@Param')}`,
      expect.stringContaining('POST /unvalidated/raw (UnvalidatedController.raw) takes @RawBody()'),
    ]);
  });
});

/** As @WebSocketGateway() and @SubscribeMessage() have it, or @Resolver() and @Query(): a provider that is no controller. */
class ChatGateway {
  @Authenticated({ modes: ['session'] })
  onMessage() {}
}

@Public()
class OpenResolver {}

@Controller()
@Authenticated({ modes: ['session'] })
class MessagesController {
  /** As @MessagePattern() has it. */
  @SetMetadata('microservices:handler_type', 1)
  onOrder() {}
}

describe('a declaration on what is no handler of HTTP', () => {
  it('stops the start, which names it', async () => {
    @Module({ providers: [ChatGateway, OpenResolver], controllers: [MessagesController] })
    class ElsewhereModule {}
    const error = await InProcessServer.start({ modules: [ElsewhereModule] }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(RouteDeclarationError);
    const names = (error as RouteDeclarationError).faults.map((fault) => fault.split(' declares ')[0]);
    expect(names).toEqual(['ChatGateway.onMessage', 'OpenResolver', 'MessagesController.onOrder']);
  });
});

@Controller('v1/owners')
class OwnersController {
  @Get('declared')
  @Authenticated({ modes: 'any', user: true })
  declared(@CurrentPrincipal() { userId }: Principal) {
    return { userId };
  }

  @Get('undeclared')
  @Authenticated({ modes: 'any' })
  undeclared(@CurrentPrincipal() { userId }: Principal) {
    return { userId };
  }
}

describe('a route for users', () => {
  const context = useStarted(() => InProcessServer.start({ modules: [moduleWith(OwnersController)] }));

  it('is refused to service accounts by its declaration, before its handler runs', async () => {
    const { server } = context;
    const admin = await sessionOf(await server.administrator());
    const { id } = (await admin.post('/v1/admin/service-accounts', { name: 'Billing' })).body;
    const { key } = (
      await admin.post(`/v1/admin/service-accounts/${id}/api-keys`, { name: 'Key', scopes: ['profile:read'] })
    ).body;
    const service = server.anonymous.with({ 'X-API-Key': key });
    for (const path of ['/v1/owners/declared', '/v1/users/me']) {
      const { status, problem } = await service.get(path);
      expect([path, status, problem]).toEqual([path, 403, 'person-required']);
    }
    expect((await service.get('/v1/owners/undeclared')).status).toBe(500);
    const ada = await server.person();
    const { body } = await (await apiKeyOf(ada, ['probes:read'])).get('/v1/owners/declared');
    expect(body).toEqual({ userId: ada.id });
  });

  it('is declared as one in the API reference', async () => {
    const { paths } = (await context.server.anonymous.get('/openapi.json')).body;
    expect(paths['/v1/users/me'].get.responses['403'].description).toContain('`person-required`');
    expect(paths['/v1/users/me'].get.description).toContain('Refuses service accounts.');
  });
});

@Controller('v1/parcels')
@Authenticated({ modes: 'any', scopes: ['probes:read', 'profile:read'] })
class ParcelsController {
  @Get()
  list(@CurrentPrincipal() { mode }: Principal) {
    return { mode };
  }

  @Put(':id')
  @Authenticated({ modes: 'person', scopes: ['probes:write'], recentSignIn: true })
  replace() {
    return {};
  }

  @Delete(':id')
  @Authenticated({ modes: ['api-key'] })
  remove() {
    return {};
  }
}

class Shelf {
  @Get()
  show() {
    return {};
  }
}

/** Two controllers share a handler, and each declares it for itself. */
@Controller('v1/open-shelf')
@Public()
class OpenShelfController extends Shelf {}

@Controller({ path: 'v1/closed-shelf', scope: InjectionScope.REQUEST })
@Authenticated({ modes: ['session'] })
class ClosedShelfController extends Shelf {}

/** Sees every route that Fastify gets, whoever registers it. */
@Module({ controllers: [ParcelsController, OpenShelfController, ClosedShelfController] })
class ParcelsModule {
  static readonly served: string[] = [];

  constructor(private readonly host: HttpAdapterHost) {}

  /** Nest asks for middleware after it has made its adapter, and before it registers routes. */
  configure(): void {
    const fastify: FastifyInstance = this.host.httpAdapter.getInstance();
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const verb of [method].flat()) ParcelsModule.served.push(`${verb} ${url}`);
    });
  }
}

describe("a controller of one's own", () => {
  const context = useStarted(() => InProcessServer.start({ modules: [ParcelsModule] }));

  it('is guarded as its class declares', async () => {
    const ada = await context.server.person();
    for (const [mode, client] of Object.entries({
      session: await sessionOf(ada),
      jwt: await jwtOf(ada),
      'api-key': await apiKeyOf(ada, ['probes:read', 'profile:read']),
    }))
      expect((await client.get('/v1/parcels')).body).toEqual({ mode });
    const narrow = await (await apiKeyOf(ada, ['probes:read'])).get('/v1/parcels');
    expect(narrow.problem).toBe('insufficient-scope');
    expect(narrow.challenges).toBe('ApiKey realm="api", error="insufficient_scope", scope="profile:read"');
    expect((await context.server.anonymous.get('/v1/parcels')).problem).toBe('credential-required');
  });

  it('is guarded as a method declares, which replaces all that the class does', async () => {
    const ada = await context.server.person();
    const key = await apiKeyOf(ada, ['reports:read']);
    expect((await key.delete('/v1/parcels/1')).status).toBe(200);
    expect((await key.put('/v1/parcels/1')).problem).toBe('mode-not-accepted');
    const jwt = await jwtOf(ada, { scope: 'probes:write' });
    expect((await jwt.put('/v1/parcels/1')).status).toBe(200);
    expect((await jwt.delete('/v1/parcels/1')).problem).toBe('mode-not-accepted');
  });

  it('declares an inherited handler for itself', async () => {
    const { anonymous } = context.server;
    expect((await anonymous.get('/v1/open-shelf')).status).toBe(200);
    expect((await anonymous.get('/v1/closed-shelf')).problem).toBe('credential-required');
    const session = await sessionOf(await context.server.person());
    expect((await session.get('/v1/closed-shelf')).status).toBe(200);
  });

  it('is in the API reference with its access', async () => {
    const { paths } = (await context.server.anonymous.get('/openapi.json')).body;
    const scopes = ['probes:read', 'profile:read'];
    expect(paths['/v1/parcels'].get.security).toEqual([
      { 'api-key': scopes },
      { jwt: scopes },
      { opaque: scopes },
      { session: scopes },
    ]);
    expect(paths['/v1/parcels/{id}'].put.security).toEqual([
      { jwt: ['probes:write'] },
      { opaque: ['probes:write'] },
      { session: ['probes:write'] },
    ]);
    expect(paths['/v1/parcels/{id}'].delete.security).toEqual([{ 'api-key': [] }]);
    expect(paths['/v1/open-shelf'].get.security).toEqual([{}]);
  });

  it('is in the route table, as every route that the server answers to', () => {
    const known = context.server.app.get(RouteTable).all();
    const served = new Set(ParcelsModule.served.filter((route) => !route.startsWith('HEAD ')));
    expect(served).toContain('PUT /v1/parcels/:id');
    expect([...served].toSorted()).toEqual(known.map(({ method, path }) => `${method} ${path}`).toSorted());
  });
});

/** Hides its handler after Nest has made a route of it, and before the table of routes is read. */
@Controller('v1/hidden')
@Public()
class HiddenController implements OnModuleInit {
  onModuleInit(): void {
    Reflect.deleteMetadata(METHOD_METADATA, HiddenController.prototype.show);
  }

  @Get()
  show() {
    return {};
  }
}

describe('a handler that the start did not see', () => {
  const context = useStarted(() => InProcessServer.start({ modules: [moduleWith(HiddenController)] }));

  it('is closed, although its class is public', async () => {
    const { status, problem } = await context.server.anonymous.get('/v1/hidden');
    expect({ status, problem }).toEqual({ status: 500, problem: 'internal-error' });
    expect(context.server.log.join('')).toContain('no policy for HiddenController.show');
  });
});
