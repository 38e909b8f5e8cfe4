import { rm } from 'node:fs/promises';
import { dropTemplate } from './databases.js';
import type { TestRun } from './global-setup.js';

export default async function teardown(): Promise<void> {
  const { postgres, directory } = (globalThis as { testRun?: TestRun }).testRun ?? {};
  await dropTemplate();
  await postgres?.stop();
  if (directory) await rm(directory, { recursive: true, force: true });
}
