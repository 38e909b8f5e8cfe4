import { Global, Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { AuthGuard } from './auth.guard.js';
import { ModeRegistry } from './mode-registry.js';
import { DeclaredElsewhere } from './declared-elsewhere.js';
import { PublicRateLimits } from './public-rate-limits.js';
import { ResolvedRoutes } from './resolved-routes.js';
import { RouteTable } from './route-table.js';
import { RateLimitsModule } from '../platform/rate-limits/rate-limits.module.js';

@Global()
@Module({
  imports: [DiscoveryModule, RateLimitsModule],
  providers: [
    ModeRegistry,
    ResolvedRoutes,
    DeclaredElsewhere,
    RouteTable,
    PublicRateLimits,
    { provide: APP_GUARD, useClass: AuthGuard },
  ],
  exports: [ModeRegistry, RouteTable],
})
export class AuthModule {}
