import pg from 'pg';
import { Controller, Get, Injectable, Module, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Authenticated } from '../../src/auth/authenticated.decorator.js';
import { requestContext } from '../../src/platform/logging/request-context.js';
import type { Fixture } from '../support/in-process.js';

@Controller('costs')
class CostsController {
  @Get('plain')
  @Authenticated({ modes: 'any' })
  plain() {}

  @Get('live')
  @Authenticated({ modes: 'any', live: true })
  live() {}
}

/** What is read on the way of a request. Timers and the feed have no request context. */
const isLookup = (text: string) =>
  /^\s*(SELECT|WITH)\b/i.test(text) && !/^SELECT$|after requests|pg_notify|\b(INSERT|UPDATE)\b/.test(text);

const { query } = pg.Client.prototype;
let lookups = 0;

function countingQuery(this: pg.Client, ...parameters: [string | { text?: string }]): unknown {
  const [first] = parameters;
  if (requestContext() && isLookup(typeof first === 'string' ? first : (first.text ?? ''))) lookups += 1;
  return Reflect.apply(query, this, parameters);
}

/** Counts all look-ups of this process, by every client of pg. */
@Injectable()
export class LookupCounter implements OnModuleInit, OnModuleDestroy {
  onModuleInit(): void {
    Object.assign(pg.Client.prototype, { query: countingQuery });
  }

  onModuleDestroy(): void {
    Object.assign(pg.Client.prototype, { query });
  }

  count(): number {
    return lookups;
  }
}

@Module({ controllers: [CostsController], providers: [LookupCounter] })
class CostsModule {}

export const costs: Fixture = { modules: [CostsModule] };
