import { Clock } from '../../src/clock/clock.js';
import { parseDuration } from '../../src/config/duration.js';

/** The clock of a test: it runs, and can be moved on. */
export class MovingClock extends Clock {
  #ahead = 0;

  override now(): Date {
    return new Date(Date.now() + this.#ahead);
  }

  /** `clock.advance('11m')` */
  advance(duration: string): void {
    this.#ahead += parseDuration(duration)!;
  }

  reset(): void {
    this.#ahead = 0;
  }
}
