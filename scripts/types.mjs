// node scripts/types.mjs: checks the types of the project, and of each folder in src/ whose code runs in browsers.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const ROOT = dirname(import.meta.dirname);
const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const CONFIG = 'tsconfig.json';

/** The browser has other globals than Node.js, so its code has a configuration of its own. */
const nested = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith(CONFIG))
  .map((file) => join('src', file));

for (const config of [CONFIG, ...nested]) {
  const { status } = spawnSync(process.execPath, [TSC, '--noEmit', '--project', config], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
