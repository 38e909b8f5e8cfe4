import type { EntityManager } from 'typeorm';
import { Clock, DatabaseClock } from '../../src/platform/clock/clock.js';
import { parseDuration } from '../../src/platform/config/duration.js';

/** The clock of a test: it runs, and can be moved on. */
export class MovingClock extends Clock {
  #ahead = 0;
  #passed = 0;
  #ofDatabase = 0;

  override now(): Date {
    return new Date(Date.now() + this.#ahead);
  }

  override monotonic(): number {
    return super.monotonic() + this.#passed;
  }

  /** By how many milliseconds the clock of the database is ahead. */
  get ofDatabase(): number {
    return this.#ofDatabase;
  }

  /** Time passes, also for the database: `clock.advance('11m')` */
  advance(duration: string): void {
    const ms = parseDuration(duration)!;
    this.#ahead += ms;
    this.#passed += ms;
    this.#ofDatabase += ms;
  }

  /** Somebody sets the time of day of this node, in milliseconds from the right one. No time passes. */
  set(ahead: number): void {
    this.#ahead = ahead;
  }

  reset(): void {
    this.#ahead = 0;
    this.#ofDatabase = 0;
  }
}

/** The database's clock: of its time of day as much has passed as the test says. */
export class MovingDatabaseClock extends DatabaseClock {
  constructor(private readonly clock: MovingClock) {
    super();
  }

  override async now(manager: EntityManager): Promise<Date> {
    return new Date((await super.now(manager)).getTime() + this.clock.ofDatabase);
  }
}
