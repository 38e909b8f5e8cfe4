import { DataSource } from 'typeorm';
import { type Command, type CommandContext, defineCommand } from '../commands/commands.js';
import { dataSourceOptions } from './data-source.options.js';
import { migrate, revertLast } from './migrate.js';

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
    console.log('Reverted the last migration.');
  },
};

const generate: Command = {
  operand: {
    example: 'migrations/name',
    meaning: 'the path of the new file, without timestamp and extension',
  },
  async run({ config }, given) {
    const { generateMigration } = await import('./generate-migration.js');
    const { file, name } = await generateMigration(config.DATABASE_URL!, given['operand']!);
    console.log(
      `${file}\nReview it, name its constraints, and declare ${name} with defineMigrations() in its room.`,
    );
  },
};

defineCommand('migration:run', {
  about: 'Runs all pending migrations. The server does the same when it starts.',
  load: async () => ({ command: run }),
});
defineCommand('migration:revert', {
  about: 'Reverts the last migration.',
  load: async () => ({ command: revert }),
});
defineCommand('migration:generate', {
  about: 'Runs all pending migrations, then writes a migration for the changes of the entities.',
  load: async () => ({ command: generate }),
});
