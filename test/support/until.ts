import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 20_000;

/** Waits for a condition, for as long as a loaded machine may need. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !(await condition()); await sleep(5))
    if (Date.now() > end) throw new Error(`it did not come about: ${condition.toString()}`);
}
