import { rm } from 'node:fs/promises';
import { dropTemplate } from './databases.js';
import { removeCluster } from './embedded-cluster.js';
import type { TestRun } from './global-setup.js';

export default async function teardown(): Promise<void> {
  const { postgres, directory } = (globalThis as { testRun?: TestRun }).testRun ?? {};
  await dropTemplate();
  await postgres?.stop();
  if (!directory) return;
  await removeCluster(directory);
  await rm(directory, { recursive: true, force: true });
}
