import { performance } from 'node:perf_hooks';
import { Global, Injectable, Module } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** The only source of time, so that tests can move it. Queries get its time as a parameter. */
@Injectable()
export class Clock {
  now(): Date {
    return new Date();
  }

  /** The time in `ms` milliseconds. Negative values are in the past. */
  in(ms: number): Date {
    return new Date(this.now().getTime() + ms);
  }

  /**
   * Milliseconds for lifetimes in memory. A correction of the system time does not change it. Only differences have a
   * meaning.
   */
  monotonic(): number {
    return performance.now();
  }
}

/** The database's clock decides which rows are deleted, so that a node with a wrong clock deletes nothing early. */
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
