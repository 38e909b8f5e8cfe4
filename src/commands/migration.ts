import 'reflect-metadata';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../database/data-source.options.js';
import { migrate, revertLast } from '../database/migrate.js';
import { fail } from '../start/fail.js';
import { openEnvironment } from '../start/environment.js';

const USAGE = 'Usage: npm run migration:run | migration:revert | migration:generate -- migrations/name';
const DATA_SOURCE = join(import.meta.dirname, '../database/data-source.js');

/** Under the same lock as a server that starts. */
async function change(url: string, command: 'run' | 'revert'): Promise<number> {
  const dataSource = await new DataSource(dataSourceOptions(url, 1)).initialize();
  try {
    if (command === 'revert') {
      await revertLast(dataSource);
      console.log('The last migration is taken back.');
    } else {
      const done = await migrate(dataSource);
      console.log(done.map(({ name }) => name).join('\n') || 'There is nothing to migrate.');
    }
    return 0;
  } finally {
    await dataSource.destroy();
  }
}

/** TypeORM's own command line, on the compiled entities. */
function generate(url: string, rest: string[]): number {
  const cli = createRequire(import.meta.url).resolve('typeorm/cli.js');
  const { status } = spawnSync(
    process.execPath,
    [cli, 'migration:generate', '-d', DATA_SOURCE, '--esm', ...rest],
    { stdio: 'inherit', env: { ...process.env, DATABASE_URL: url } },
  );
  return status ?? 1;
}

async function main([command, ...rest]: string[]): Promise<number> {
  if (command !== 'run' && command !== 'revert' && command !== 'generate') {
    console.error(USAGE);
    return 1;
  }
  const { config, close } = await openEnvironment();
  try {
    return command === 'generate'
      ? generate(config.DATABASE_URL, rest)
      : await change(config.DATABASE_URL, command);
  } finally {
    await close();
  }
}

await main(process.argv.slice(2)).then((code) => (process.exitCode = code), fail);
process.exit();
