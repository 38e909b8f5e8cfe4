import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes the embedded cluster of a data directory, also where root had to put it elsewhere. It must be stopped. */
export async function removeCluster(directory: string): Promise<void> {
  const elsewhere = await readFile(join(directory, 'postgres.location'), 'utf8').catch(() => '');
  if (elsewhere) await rm(elsewhere.trim(), { recursive: true, force: true });
  await rm(join(directory, 'postgres'), { recursive: true, force: true });
}
