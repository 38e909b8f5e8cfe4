import { Controller, Delete, Get, Injectable, Module } from '@nestjs/common';
import { Authenticated, Public } from '../../src/auth/authenticated.decorator.js';
import { machineScopes, scopesOfRoles, userScopes } from '../../src/auth/scopes.js';
import type { DeclaredScopes } from '../support/access-matrix.js';
import type { Fixture } from '../support/in-process.js';

/** What a user of the template adds. It is in the matrix without another line. */
@Controller('v1/parcels')
@Authenticated({ modes: 'any', scopes: ['probes:read', 'probes:write'] })
class ParcelsController {
  @Get()
  list() {
    return [];
  }

  @Get('costs')
  @Authenticated({ modes: 'any', scopes: ['probes:read'], live: true })
  costs() {
    return [];
  }

  @Get('owners')
  @Authenticated({ modes: 'any', scopes: ['probes:read'], user: true })
  owners() {
    return [];
  }

  // room: sign-ins
  @Delete(':id')
  @Authenticated({ modes: 'person', scopes: ['probes:write', 'account:security'], recentSignIn: true })
  remove() {
    return {};
  }
  // /room
}

@Controller('v1/parcel-rates')
class ParcelRatesController {
  @Get()
  @Public()
  rates() {
    return [];
  }
}

@Injectable()
export class ScopeCatalogue {
  declared(): DeclaredScopes {
    return { user: userScopes(), key: machineScopes(), administrator: scopesOfRoles(['admin']) };
  }
}

@Module({ controllers: [ParcelsController, ParcelRatesController], providers: [ScopeCatalogue] })
class ParcelsModule {}

export const parcels: Fixture = { modules: [ParcelsModule] };
