import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface Build {
  /** Absolute path of a compiled file: `build.file('src/main.js')`. */
  file(path: string): string;
  remove(): void;
}

/**
 * The project compiled as `nest build` does, into a directory of the test's own inside the project, so that packages
 * are found and nobody's `dist` is touched.
 */
export function buildProject(): Build {
  const parent = resolve('.data');
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, 'test-build-'));
  const swc = resolve('node_modules/@swc/cli/bin/swc.js');
  const options = ['--out-dir', directory, '--extensions', '.ts', '--quiet'];
  execFileSync(process.execPath, [swc, 'src', 'migrations', ...options]);
  return {
    file: (path) => join(directory, path),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
