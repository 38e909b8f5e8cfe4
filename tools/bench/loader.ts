import { type ChildProcess, fork } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Order, Outcome } from './load.js';

/** Starts the process that loads servers, on another processor than theirs where there is one. */
export class Loader {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'load.ts'), {
    execArgv: ['--import', 'tsx'],
    ...(cpus().length > 1 && { execPath: process.execPath }),
  });

  run(order: Order): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#child.once('message', (outcome: Outcome) => resolve(outcome));
      this.#child.once('error', reject);
      this.#child.send(order);
    });
  }

  stop(): void {
    this.#child.kill();
  }
}
