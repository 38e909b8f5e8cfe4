import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../support/client.js';
import { until } from '../support/until.js';

/** Long enough that the load is no overload, also on a slow machine. */
const PAUSE_MS = 100;

/** Repeats requests of each kind until `stop()`. */
export class Load {
  /** What was not answered as it should. */
  readonly failures: string[] = [];
  readonly #counts = new Map<string, number>();
  readonly #loops: Promise<void>[] = [];
  #stopped = false;

  /** Repeats a request that must be answered with this status. */
  add(name: string, status: number, ask: () => Promise<Answer>): void {
    this.#counts.set(name, 0);
    this.#loops.push(this.#repeat(name, status, ask));
  }

  /** Waits until there were this many more requests of each kind. */
  async more(requests: number): Promise<void> {
    const before = new Map(this.#counts);
    await until(() => [...this.#counts].every(([name, count]) => count >= before.get(name)! + requests));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  async #repeat(name: string, status: number, ask: () => Promise<Answer>): Promise<void> {
    while (!this.#stopped) {
      try {
        const answer = await ask();
        if (answer.status !== status)
          this.failures.push(`${name}: ${answer.status} ${answer.problem ?? JSON.stringify(answer.body)}`);
      } catch (error) {
        this.failures.push(`${name}: ${String((error as Error).cause ?? error)}`);
      }
      this.#counts.set(name, this.#counts.get(name)! + 1);
      await sleep(PAUSE_MS);
    }
  }
}
