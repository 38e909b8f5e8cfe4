import { Global, Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { AuthGuard } from './auth.guard.js';
import { ModeRegistry } from './mode-registry.js';
import { Decisions } from './decisions.js';
import { DeclaredElsewhere } from './declared-elsewhere.js';
import { PublicRateLimits } from './public-rate-limits.js';
import { RequirementRegistry } from './requirements.js';
import { ResolvedRoutes } from './resolved-routes.js';
import { RouteTable } from './route-table.js';
import { StepUp } from './step-up.js';
import { RateLimitsModule } from '../platform/rate-limits/rate-limits.module.js';
import { defineCommand } from '../platform/commands/commands.js';

defineCommand('routes', {
  about: 'Prints all routes with their modes, scopes and other requirements.',
  load: () => import('./routes.command.js'),
});

defineCommand('inspect', {
  about:
    'Explains credentials from standard input. It sends and stores nothing, and its output repeats no secret.',
  load: () => import('./inspect.command.js'),
});

@Global()
@Module({
  imports: [DiscoveryModule, RateLimitsModule],
  providers: [
    ModeRegistry,
    ResolvedRoutes,
    Decisions,
    DeclaredElsewhere,
    RequirementRegistry,
    RouteTable,
    PublicRateLimits,
    StepUp,
    { provide: APP_GUARD, useClass: AuthGuard },
  ],
  exports: [Decisions, ModeRegistry, RequirementRegistry, RouteTable, StepUp],
})
export class AuthModule {}
