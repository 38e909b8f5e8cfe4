import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataSource, type QueryRunner } from 'typeorm';
import { dataSourceOptions } from './data-source.options.js';
import { migrate } from './migrate.js';
import { UsageError } from '../commands/arguments.js';

interface Statement {
  readonly query: string;
}

/**
 * Runs all migrations, then writes a migration for the differences between the entities and the schema.
 * @throws UsageError if there are no differences, or the name is invalid
 */
export async function generateMigration(url: string, path: string): Promise<{ file: string; name: string }> {
  const words = basename(path);
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(words))
    throw new UsageError(`${path}: must end with a name such as add-order-notes`);
  const { up, down } = await findDifferences(url);
  if (up.length === 0) throw new UsageError('Nothing to generate: the schema matches the entities.');
  const time = Date.now();
  const name = words.replaceAll(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase()) + String(time);
  const file = join(dirname(path), `${time}-${words}.ts`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, await format(file, sourceOf(name, up, down)), { flag: 'wx' });
  return { file, name };
}

async function findDifferences(url: string): Promise<{ up: Statement[]; down: Statement[] }> {
  const entities = [join(import.meta.dirname, '../../**/*.entity.js')];
  const dataSource = await new DataSource({ ...dataSourceOptions(url, 1), entities }).initialize();
  try {
    await migrate(dataSource);
    askInTurn(dataSource);
    const { upQueries, downQueries } = await dataSource.driver.createSchemaBuilder().log();
    return { up: upQueries, down: downQueries.toReversed() };
  } finally {
    await dataSource.destroy();
  }
}

/** TypeORM's schema builder sends concurrent queries over one connection, which pg deprecates. */
function askInTurn(dataSource: DataSource): void {
  const create = dataSource.createQueryRunner.bind(dataSource);
  dataSource.createQueryRunner = (mode): QueryRunner => {
    const runner = create(mode);
    const query = runner.query.bind(runner);
    let last: Promise<unknown> = Promise.resolve();
    runner.query = (...parameters: Parameters<typeof query>) => {
      const answer = last.then(() => query(...parameters));
      last = answer.catch(() => undefined);
      return answer;
    };
    return runner;
  };
}

function sourceOf(name: string, up: Statement[], down: Statement[]): string {
  const calls = (statements: Statement[]) =>
    statements.map(({ query }) => `await queryRunner.query(\`${query.replaceAll(/[\\`]|\$\{/g, '\\$&')}\`);`);
  return `import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ${name} implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    ${calls(up).join('\n    ')}
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    ${calls(down).join('\n    ')}
  }
}
`;
}

/** Formats the file with prettier, which is missing in a production install. */
async function format(file: string, text: string): Promise<string> {
  const prettier = await import('prettier').catch(() => undefined);
  return prettier ? prettier.format(text, { ...(await prettier.resolveConfig(file)), filepath: file }) : text;
}
