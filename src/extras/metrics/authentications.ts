import { Injectable } from '@nestjs/common';
import { Decisions } from '../../auth/decisions.js';
import { defineCounter, Instruments } from '../../platform/instruments/instruments.js';

const AUTHENTICATIONS = defineCounter(
  'authentications_total',
  'Requests to routes that need a credential, by mode and result',
  'mode',
  'result',
);

/** Counts the decisions of the guard. */
@Injectable()
export class Authentications {
  readonly #byMode = new Map<string, Map<string, number>>();

  constructor(
    private readonly decisions: Decisions,
    private readonly instruments: Instruments,
  ) {}

  start(): void {
    this.decisions.observe((mode = 'none', result) => this.#add(mode, result));
    this.instruments.addAll(AUTHENTICATIONS, () => this.#counts());
  }

  #add(mode: string, result: string): void {
    let counts = this.#byMode.get(mode);
    if (!counts) this.#byMode.set(mode, (counts = new Map<string, number>()));
    counts.set(result, (counts.get(result) ?? 0) + 1);
  }

  *#counts(): Iterable<readonly [Record<string, string>, number]> {
    for (const [mode, counts] of this.#byMode)
      for (const [result, count] of counts) yield [{ mode, result }, count];
  }
}
