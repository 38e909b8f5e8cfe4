import {
  Body,
  Controller,
  Delete,
  Get,
  Injectable,
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
import type { AuthMode } from '../../src/auth/auth-modes.js';
import { CurrentPrincipal } from '../../src/auth/current-principal.decorator.js';
import { ModeRegistry } from '../../src/auth/mode-registry.js';
import { Principal } from '../../src/auth/principal.js';
import type { Fixture } from '../support/in-process.js';

const PIGEON = 'carrier-pigeon' as AuthMode;
const ROBOT = 'robot' as AuthMode;

/** A mode whose credentials are machines', and can only read probes. It is never presented. */
@Module({})
class RobotModule implements OnModuleInit {
  constructor(private readonly modes: ModeRegistry) {}

  onModuleInit(): void {
    this.modes.register({
      name: ROBOT,
      scheme: 'Robot',
      carries: 'machine',
      ambient: false,
      canHold: (scope) => scope === 'probes:read',
      credentialHeaders: [],
      strategies: {},
      present: () => undefined,
      verify: () => Promise.reject(new Error('not called')),
      securityScheme: { type: 'http', description: 'Of a test' },
    });
  }
}

const fixtureOf = (...controllers: (new () => object)[]): Fixture => {
  @Module({ imports: [RobotModule], controllers })
  class ExtraModule {}
  return { modules: [ExtraModule] };
};

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
  @Authenticated({ modes: [ROBOT, PIGEON] })
  unknownMode() {}

  @Get('no-mode')
  @Authenticated({ modes: [] as unknown as [AuthMode] })
  noMode() {}

  @Get('unknown-word')
  @Authenticated({ modes: 'everybody' as 'any' })
  unknownWord() {}

  @Get('impossible')
  @Authenticated({ modes: [ROBOT], scopes: ['probes:write', 'probes:read'] })
  impossible() {}

  @Get('recent-machine')
  @Authenticated({ modes: [ROBOT], recentSignIn: true })
  recentMachine() {}
}

// room: api-keys, admin
@Controller('bad-keys')
class BadKeysController {
  @Get('impossible')
  @Authenticated({ modes: ['api-key'], scopes: ['account:security', 'probes:read'] })
  impossible() {}

  @Get('admin')
  @Authenticated({ modes: ['api-key'], scopes: ['admin:users'] })
  admin() {}

  @Get('recent')
  @Authenticated({ modes: ['api-key'], recentSignIn: true })
  recent() {}
}

export const badKeys = fixtureOf(BadKeysController);
// /room

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

/** As @WebSocketGateway() and @SubscribeMessage() have it, or @Resolver() and @Query(): a provider that is no controller. */
class ChatGateway {
  @Authenticated({ modes: [ROBOT] })
  onMessage() {}
}

@Public()
class OpenResolver {}

@Controller()
@Authenticated({ modes: [ROBOT] })
class MessagesController {
  /** As @MessagePattern() has it. */
  @SetMetadata('microservices:handler_type', 1)
  onOrder() {}
}

@Module({ providers: [ChatGateway, OpenResolver], controllers: [MessagesController] })
class ElsewhereModule {}

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

@Controller('v1/parcels')
@Authenticated({ modes: 'any', scopes: ['probes:read', 'probes:write'] })
class ParcelsController {
  @Get()
  list(@CurrentPrincipal() { mode }: Principal) {
    return { mode };
  }

  @Put(':id')
  @Authenticated({ modes: 'any', scopes: ['probes:write'] })
  replace() {
    return {};
  }

  @Delete(':id')
  @Authenticated({ modes: [ROBOT] })
  remove() {
    return {};
  }

  // room: sign-ins
  @Post(':id')
  @Authenticated({ modes: 'person', scopes: ['probes:write'], recentSignIn: true })
  sign() {
    return {};
  }
  // /room
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
@Authenticated({ modes: 'any' })
class ClosedShelfController extends Shelf {}

const served: string[] = [];

/** Sees every route that Fastify gets, whoever registers it. */
@Injectable()
export class ServedRoutes {
  list(): string[] {
    return served;
  }
}

@Module({
  imports: [RobotModule],
  controllers: [ParcelsController, OpenShelfController, ClosedShelfController],
  providers: [ServedRoutes],
})
class ParcelsModule {
  constructor(private readonly host: HttpAdapterHost) {}

  /** Nest asks for middleware after it has made its adapter, and before it registers routes. */
  configure(): void {
    served.length = 0;
    const fastify: FastifyInstance = this.host.httpAdapter.getInstance();
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const verb of [method].flat()) served.push(`${verb} ${url}`);
    });
  }
}

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

export const bad = fixtureOf(BadController, AlsoBadController, WorseController);
export const unvalidated = fixtureOf(UnvalidatedController);
export const elsewhere: Fixture = { modules: [RobotModule, ElsewhereModule] };
export const owners = fixtureOf(OwnersController);
export const parcels: Fixture = { modules: [ParcelsModule] };
export const hidden = fixtureOf(HiddenController);
