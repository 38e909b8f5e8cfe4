import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Set by the global setup: where the project is compiled to, once in a run, by whoever needs it first. */
export const BUILD = 'TEST_BUILD';
const COMPILE = pathToFileURL(resolve('scripts/compile.mjs')).href;
let upToDate = false;

/**
 * Where a file of the project lies compiled, such as `src/main.js`: as `npm start` compiles it, but in a directory of
 * the test run's own inside the project, so that packages are found and nobody's `dist` is touched.
 */
export function built(file: string): string {
  const directory = process.env[BUILD]!;
  // A process of its own, since a test cannot wait here.
  if (!upToDate)
    execFileSync(process.execPath, [
      '--input-type=module',
      '--eval',
      `await (await import(${JSON.stringify(COMPILE)})).compile(${JSON.stringify(directory)})`,
    ]);
  upToDate = true;
  return join(directory, file);
}
