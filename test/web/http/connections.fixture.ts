import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { Public } from '../../../src/auth/authenticated.decorator.js';
import type { Fixture } from '../../support/in-process.js';

/** Holds requests until the test releases them, and counts them. */
@Injectable()
export class Gate {
  #now = 0;
  #most = 0;
  #all = 0;
  #release = () => {};
  #released = Promise.resolve();

  async pass(): Promise<number> {
    this.#now += 1;
    this.#most = Math.max(this.#most, this.#now);
    await this.#released;
    this.#now -= 1;
    return (this.#all += 1);
  }

  close(): void {
    this.#now = this.#most = this.#all = 0;
    this.#released = new Promise((resolve) => (this.#release = resolve));
  }

  open(): void {
    this.#release();
  }

  /** How many requests are held now, and were at most. */
  counts(): { now: number; most: number } {
    return { now: this.#now, most: this.#most };
  }
}

@Controller('v1/held')
class HeldController {
  constructor(private readonly gate: Gate) {}

  @Get()
  @Public()
  async hold(): Promise<object> {
    return { number: await this.gate.pass() };
  }
}

@Module({ controllers: [HeldController], providers: [Gate] })
class HeldModule {}

export const held: Fixture = { modules: [HeldModule] };
