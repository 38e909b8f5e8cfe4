import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Order, Outcome } from './load.js';

/** Starts the process that loads servers. */
export class Loader {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'load.ts'), {
    execArgv: ['--import', 'tsx'],
  });

  async run(order: Order): Promise<Outcome> {
    const answer = once(this.#child, 'message');
    this.#child.send(order);
    const [outcome] = (await answer) as [Outcome];
    return outcome;
  }

  stop(): void {
    this.#child.kill();
  }
}
