import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fail } from '../start/fail.js';
import { openEnvironment } from '../start/environment.js';

const USAGE = 'Usage: npm run migration:run | migration:revert | migration:generate -- migrations/name';
const DATA_SOURCE = join(import.meta.dirname, '../database/data-source.js');

/** TypeORM's own command line on the compiled data source, with the embedded database where DATABASE_URL names none. */
async function main([command, ...rest]: string[]): Promise<void> {
  if (!command || !['run', 'revert', 'generate'].includes(command)) {
    console.error(USAGE);
    process.exitCode = 1;
    return;
  }
  const environment = await openEnvironment();
  const cli = createRequire(import.meta.url).resolve('typeorm/cli.js');
  const options = command === 'generate' ? ['--esm'] : [];
  const { status } = spawnSync(
    process.execPath,
    [cli, `migration:${command}`, '-d', DATA_SOURCE, ...options, ...rest],
    {
      stdio: 'inherit',
      env: { ...process.env, DATABASE_URL: environment.config.DATABASE_URL },
    },
  );
  await environment.close();
  process.exitCode = status ?? 1;
}

await main(process.argv.slice(2)).catch(fail);
process.exit();
