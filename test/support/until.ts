import { setTimeout as sleep } from 'node:timers/promises';

/** Only ends a wait for what never happens: how long a step takes depends on the machine. */
export const PATIENCE_MS = 120_000;

/** Waits for a condition. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !(await condition()); await sleep(5))
    if (Date.now() > end) throw new Error(`this never became true: ${condition.toString()}`);
}
