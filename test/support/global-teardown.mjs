import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export default async () => {
  const { teardown } = await import(pathToFileURL(join(process.env.TEST_BUILD, 'test/support/test-run.js')));
  await teardown();
  await rm(process.env.TEST_BUILD, { recursive: true, force: true });
};
