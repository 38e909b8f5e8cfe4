import type { INestApplicationContext } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../clock/clock.js';
import { UsageError } from '../commands/arguments.js';
import type { Command } from '../commands/commands.js';
import { DEADLOCK, retryTransaction } from '../database/retry-transaction.js';
import { affected } from '../housekeeping/affected.js';
import { SecurityLog } from '../logging/security-log.js';
import { RevocationsService } from '../revocations/revocations.service.js';
import { allEndings, type Ending, type Restoring } from './on-restored.js';

/** So that each statement is faster than the time limit of a statement. */
const BATCH_SIZE = 10_000;

const names = () => allEndings().flatMap(({ keep }) => keep ?? []);

export const command: Command = {
  /** A getter, because rooms can be loaded later. */
  get options() {
    const example = names().join(',');
    return example ? { keep: { example, meaning: 'what to keep, separated by commas', optional: true } } : {};
  },
  async run({ application }, { keep }) {
    const kept = keep?.split(',') ?? [];
    if (kept.some((name) => !names().includes(name)))
      throw new UsageError(`--keep: must be a list of these names: ${names().join(', ')}`);
    const counts = await endAll(await application(), kept);
    const rows = Object.entries(counts).map(([what, count]) => `${String(count).padStart(8)}  ${what}`);
    console.log(['Ended:', ...rows, ...(keep ? [`Kept: ${kept.join(', ')}`] : [])].join('\n'));
  },
};

/** Ends all that the rooms declare, except what is kept, in one transaction. Returns the numbers by name. */
async function endAll(
  app: INestApplicationContext,
  kept: readonly string[],
): Promise<Record<string, number>> {
  const endings = allEndings().filter(({ keep }) => keep === undefined || !kept.includes(keep));
  // Requests under way lock rows in other orders.
  return retryTransaction(app.get(DataSource), [DEADLOCK], async (manager) => {
    const counts: Record<string, number> = {};
    for (const ending of endings) {
      // A request that is issuing a credential now either commits before, and it ends too, or waits.
      await manager.query(`LOCK TABLE ${ending.table} IN SHARE ROW EXCLUSIVE MODE`);
      const ended = await end(ending, { manager, now: app.get(Clock).now(), app });
      counts[ending.ends] = (counts[ending.ends] ?? 0) + ended;
    }
    // One announcement for all rows: nodes could not hold a million in memory.
    await app
      .get(RevocationsService)
      .announce(manager, [{ kind: 'everything', subject: 'restored from a backup' }]);
    await app.get(SecurityLog).record(manager, 'backup.restored', { by: 'command', kept, ...counts });
    return counts;
  });
}

async function end({ by }: Ending, restoring: Restoring): Promise<number> {
  if (typeof by !== 'string') return by(restoring);
  const { manager, now } = restoring;
  const parameters = by.includes('$2') ? [BATCH_SIZE, now] : [BATCH_SIZE];
  let ended = 0;
  for (let batch = BATCH_SIZE; batch === BATCH_SIZE; ended += batch)
    batch = await affected(manager, by, parameters);
  return ended;
}
