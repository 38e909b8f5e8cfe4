import { rm } from 'node:fs/promises';
import { BUILD } from './build.js';
import { dropTemplate } from './databases.js';
import { removeCluster } from './embedded-cluster.js';
import type { TestRun } from './global-setup.js';

export default async function teardown(): Promise<void> {
  const { postgres, directory } = (globalThis as { testRun?: TestRun }).testRun ?? {};
  await rm(process.env[BUILD]!, { recursive: true, force: true });
  await dropTemplate();
  await postgres?.stop();
  if (!directory) return;
  await removeCluster(directory);
  await rm(directory, { recursive: true, force: true });
}
