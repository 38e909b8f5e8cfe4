import { All, Controller, Get, Module, Param, Post, VERSION_NEUTRAL, VersioningType } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { ApiParam, ApiResponse } from '@nestjs/swagger';
import { Authenticated, Public } from '../../src/auth/authenticated.decorator.js';
import type { Fixture } from '../support/in-process.js';

@Controller('parcels')
class ParcelsController {
  @Get(':id')
  @Authenticated({ modes: 'any', resource: 'parcels/:id' })
  @ApiResponse({ status: 200 })
  show() {
    return { version: 1 };
  }

  @Post('reports')
  @Public({ rateLimit: { policy: 'parcel-reports', requests: 2, windowSeconds: 60 } })
  report() {
    return {};
  }
}

@Controller({ path: 'parcels', version: '2' })
class SecondParcelsController {
  @Get(':id')
  @Public()
  @ApiResponse({ status: 200 })
  show() {
    return { version: 2 };
  }
}

@Controller('depots')
class DepotsController {
  @All('any')
  @Authenticated({ modes: 'any' })
  @ApiResponse({ status: 200 })
  any() {
    return { any: true };
  }

  @Get('files/*')
  @Authenticated({ modes: 'any' })
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

/** Paths that Nest and Fastify read differently. */
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

const modules = [ParcelsModule, LogisticsModule];

export const plain: Fixture = { modules };
export const prefixed: Fixture = { modules, configure: (app) => app.setGlobalPrefix('api') };
export const versionInPath: Fixture = {
  modules,
  configure: (app) =>
    app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
};
export const versionInHeader: Fixture = {
  modules,
  configure: (app) =>
    app.enableVersioning({
      type: VersioningType.HEADER,
      header: 'X-Version',
      defaultVersion: VERSION_NEUTRAL,
    }),
};
export const twoVersions: Fixture = { ...versionInHeader, modules: [...modules, SecondParcelsModule] };
export const excluded: Fixture = {
  modules,
  configure: (app) =>
    app.setGlobalPrefix('api', { exclude: ['.well-known/oauth-authorization-server', 'health/live'] }),
};
export const odd: Fixture = { modules: [OddModule] };
