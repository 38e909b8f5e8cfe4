import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compile, FOLDERS } from '../../scripts/compile.mjs';

/**
 * Compiles the project and its tests once in a run, into a folder of the run inside the project, where packages are found.
 * The processes of the servers and the setup itself load the compiled files: Node.js loads them faster than Jest does.
 */
export default async () => {
  const build = resolve('.data', `test-build-${randomBytes(6).toString('hex')}`);
  process.env.TEST_BUILD = build;
  await compile(build, [...FOLDERS, resolve('test')]);
  const { setup } = await import(pathToFileURL(join(build, 'test/support/test-run.js')));
  await setup();
};
