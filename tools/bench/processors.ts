import { execFileSync } from 'node:child_process';
import { cpus, platform } from 'node:os';

/** The server has this processor for itself. */
export const OF_SERVER = '0';

/**
 * Moves this process, and what it starts, to the other processors: PostgreSQL and the load.
 * @throws where processes cannot be bound to processors
 */
export function leaveProcessorToServer(): void {
  if (platform() !== 'linux' || cpus().length < 2)
    throw new Error('the benchmark needs Linux (taskset and /proc) and two processors');
  execFileSync('taskset', ['-p', '-c', `1-${cpus().length - 1}`, `${process.pid}`], { stdio: 'ignore' });
}
