import { All, Controller, Get, Module, Param, Post } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { z } from 'zod';
import { Public } from '../../../src/auth/authenticated.decorator.js';
import { requestContext } from '../../../src/platform/logging/request-context.js';
import { RateLimiter } from '../../../src/platform/rate-limits/rate-limiter.js';
import { RateLimitsModule } from '../../../src/platform/rate-limits/rate-limits.module.js';
import type { Fixture } from '../../support/in-process.js';

@Controller('limited')
class LimitedController {
  @Get()
  @Public({ rateLimit: { policy: 'limited', requests: 3, windowSeconds: 600 } })
  read() {
    return {};
  }

  @Post('forms')
  @Public({ rateLimit: { policy: 'forms', requests: 2, windowSeconds: 600 } })
  write() {
    return {};
  }
}

@Module({ controllers: [LimitedController] })
class LimitedModule {}

@Controller('any')
class AnyMethodController {
  @All()
  @Public({ rateLimit: { policy: 'any', requests: 2, windowSeconds: 600 } })
  any() {
    return {};
  }
}

@Module({ controllers: [AnyMethodController] })
class AnyMethodModule {}

/** A limit for each address, which several nodes share. Counted like the requests of a key. */
@Controller('shared')
class SharedController {
  constructor(private readonly limiter: RateLimiter) {}

  @Get(':requests')
  @Public()
  async read(@Param('requests', { schema: z.coerce.number() }) requests: number) {
    await this.limiter.consume('shared', requestContext()!.ip, { requests, windowSeconds: 600 });
    return {};
  }
}

@Module({ imports: [RateLimitsModule], controllers: [SharedController] })
class SharedModule {}

export const limited: Fixture = { modules: [LimitedModule] };
export const prefixed: Fixture = {
  modules: [RouterModule.register([{ path: 'prefix', module: LimitedModule }]), LimitedModule],
};
export const anyMethod: Fixture = { modules: [AnyMethodModule] };
export const shared: Fixture = { modules: [SharedModule] };
