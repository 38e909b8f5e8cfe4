import { performance } from 'node:perf_hooks';
import { Global, Injectable, Module } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** The one source of time. Every comparison with an expiry asks it, also as a parameter of the query, so that tests can move it. */
@Injectable()
export class Clock {
  now(): Date {
    return new Date();
  }

  /** `ms` milliseconds from now; negative for the past. */
  in(ms: number): Date {
    return new Date(this.now().getTime() + ms);
  }

  /**
   * Milliseconds on a clock that nobody can set, for how long something stays in memory: after a correction of the time
   * of day nothing is forgotten early. Only differences have a meaning.
   */
  monotonic(): number {
    return performance.now();
  }
}

/** The database's clock, by which rows are deleted: a node whose own clock is wrong deletes nothing early. */
@Injectable()
export class DatabaseClock {
  async now(manager: EntityManager): Promise<Date> {
    const [{ now }]: [{ now: Date }] = await manager.query('SELECT now()');
    return now;
  }
}

@Global()
@Module({ providers: [Clock, DatabaseClock], exports: [Clock, DatabaseClock] })
export class ClockModule {}
