import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Set by the global setup: where the project is compiled to, once in a run, by whoever needs it first. */
export const BUILD = 'TEST_BUILD';

/**
 * Where a file of the project lies compiled, such as `src/main.js`: as `nest build` does it, but in a directory of the
 * test run's own inside the project, so that packages are found and nobody's `dist` is touched.
 */
export function built(file: string): string {
  const directory = process.env[BUILD]!;
  if (!existsSync(directory)) build(directory);
  return join(directory, file);
}

function build(directory: string): void {
  const parent = resolve('.data');
  mkdirSync(parent, { recursive: true });
  const unfinished = mkdtempSync(join(parent, 'test-build-'));
  const swc = resolve('node_modules/@swc/cli/bin/swc.js');
  const options = ['--out-dir', unfinished, '--extensions', '.ts', '--quiet'];
  execFileSync(process.execPath, [swc, 'src', 'migrations', ...options]);
  try {
    renameSync(unfinished, directory);
  } catch (error) {
    // Another file of the run was faster.
    if (!existsSync(directory)) throw error;
    rmSync(unfinished, { recursive: true });
  }
}
