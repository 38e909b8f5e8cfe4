import { Global, Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { AuthGuard } from './auth.guard.js';
import { ModeRegistry } from './mode-registry.js';
import { RouteTable } from './route-table.js';

@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [ModeRegistry, RouteTable, { provide: APP_GUARD, useClass: AuthGuard }],
  exports: [ModeRegistry, RouteTable],
})
export class AuthModule {}
