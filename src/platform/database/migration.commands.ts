import { DataSource } from 'typeorm';
import { type Command, type CommandContext, defineCommand } from '../commands/commands.js';
import { dataSourceOptions } from './data-source.options.js';
import { migrate, revertLast } from './migrate.js';

/** Under the same lock as a server that starts. */
async function connected<T>(
  { config }: CommandContext,
  work: (dataSource: DataSource) => Promise<T>,
): Promise<T> {
  const dataSource = await new DataSource(dataSourceOptions(config.DATABASE_URL!, 1)).initialize();
  try {
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

const run: Command = {
  async run(context) {
    const done = await connected(context, migrate);
    console.log(done.map(({ name }) => name).join('\n') || 'The schema is up to date.');
  },
};

const revert: Command = {
  async run(context) {
    await connected(context, revertLast);
    console.log('The last migration is reverted.');
  },
};

const generate: Command = {
  operand: { example: 'migrations/name', meaning: 'the file, without time and ending' },
  async run({ config }, given) {
    const { generateMigration } = await import('./generate-migration.js');
    const { file, name } = await generateMigration(config.DATABASE_URL!, given['operand']!);
    console.log(
      `${file}\nRead it, name its constraints, and declare ${name} with defineMigrations() in its room.`,
    );
  },
};

defineCommand('migration:run', {
  about: 'Brings the schema up to date. The server does the same when it starts.',
  load: async () => ({ command: run }),
});
defineCommand('migration:revert', {
  about: 'Reverts the last migration.',
  load: async () => ({ command: revert }),
});
defineCommand('migration:generate', {
  about:
    'Brings the schema up to date, then writes a migration for what the entities have and the schema lacks.',
  load: async () => ({ command: generate }),
});
