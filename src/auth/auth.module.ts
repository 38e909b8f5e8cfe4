import { Global, Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { AuthGuard } from './auth.guard.js';
import { ModeRegistry } from './mode-registry.js';
import { PublicRateLimits } from './public-rate-limits.js';
import { RouteTable } from './route-table.js';

@Global()
@Module({
  imports: [DiscoveryModule],
  // The table reads the routes before the limits look at them: hooks run in this order.
  providers: [ModeRegistry, RouteTable, PublicRateLimits, { provide: APP_GUARD, useClass: AuthGuard }],
  exports: [ModeRegistry, RouteTable],
})
export class AuthModule {}
