import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Set by the global setup: where the project and the test support are compiled to, once in a run. */
export const BUILD = 'TEST_BUILD';
const COMPILE = pathToFileURL(resolve('scripts/compile.mjs')).href;
const FOLDERS = ['src', 'migrations', 'tools', 'test/support'].map((folder) => resolve(folder));

/** Compiles as `npm start` does, but into a directory of the test run's own inside the project: packages are found there. */
export function build(directory: string): void {
  execFileSync(process.execPath, [
    '--input-type=module',
    '--eval',
    `await (await import(${JSON.stringify(COMPILE)})).compile(${JSON.stringify(directory)}, ${JSON.stringify(FOLDERS)})`,
  ]);
}

/** Where a file of the project lies compiled, such as `src/main.js`. */
export const built = (file: string): string => join(process.env[BUILD]!, file);
