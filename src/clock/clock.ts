import { Global, Injectable, Module } from '@nestjs/common';

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
}

@Global()
@Module({ providers: [Clock], exports: [Clock] })
export class ClockModule {}
