import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../platform/database/data-source.options.js';
import { migrate, revertLast } from '../platform/database/migrate.js';
import { openEnvironment } from './environment.js';
import { fail } from './fail.js';
import { type Arguments, asksForHelp, helpOf, readArguments, type Usage } from './arguments.js';
import { generateMigration } from './generate-migration.js';

interface MigrationCommand extends Usage {
  run(url: string, given: Arguments): Promise<string>;
}

/** Under the same lock as a server that starts. */
async function connected<T>(url: string, work: (dataSource: DataSource) => Promise<T>): Promise<T> {
  const dataSource = await new DataSource(dataSourceOptions(url, 1)).initialize();
  try {
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

const COMMANDS: Record<string, MigrationCommand> = {
  run: {
    script: 'migration:run',
    purpose: 'Brings the schema up to date. The server does the same when it starts.',
    async run(url) {
      const done = await connected(url, migrate);
      return done.map(({ name }) => name).join('\n') || 'The schema is up to date.';
    },
  },
  revert: {
    script: 'migration:revert',
    purpose: 'Reverts the last migration.',
    async run(url) {
      await connected(url, revertLast);
      return 'The last migration is reverted.';
    },
  },
  generate: {
    script: 'migration:generate',
    purpose:
      'Brings the schema up to date, then writes a migration for what the entities have and the schema lacks.',
    operand: { example: 'migrations/name', meaning: 'the file, without time and ending' },
    async run(url, given) {
      const { file, name } = await generateMigration(url, given['operand']!);
      return `${file}\nRead it, name its constraints, and export ${name} from migrations/index.ts.`;
    },
  },
};

async function main(name: string, argv: string[]): Promise<void> {
  const command = COMMANDS[name]!;
  if (asksForHelp(argv)) return console.log(helpOf(command));
  const given = readArguments(command, argv);
  const { config, close } = await openEnvironment();
  try {
    console.log(await command.run(config.DATABASE_URL, given));
  } finally {
    await close();
  }
}

const [name, ...argv] = process.argv.slice(2);
await main(name!, argv).catch(fail);
process.exit();
