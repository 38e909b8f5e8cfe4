import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { DataSource } from 'typeorm';
// Whose rooms declare the migrations.
import '../../src/app.module.js';
import { dataSourceOptions } from '../../src/platform/database/data-source.options.js';

/** Set by the global setup: where the databases of this run are made. */
const SERVER = 'TEST_SERVER_URL';
const TEMPLATE = 'TEST_TEMPLATE';

export const urlOf = (server: string, database: string): string => {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
};

async function onServer(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Makes the migrated database that every test file copies. */
export async function createTemplate(server: string): Promise<void> {
  const template = `test_template_${randomBytes(6).toString('hex')}`;
  await onServer(server, `CREATE DATABASE ${template}`);
  const dataSource = await new DataSource(dataSourceOptions(urlOf(server, template), 1)).initialize();
  await dataSource.runMigrations({ transaction: 'all' });
  await dataSource.destroy();
  process.env[SERVER] = server;
  process.env[TEMPLATE] = template;
}

export async function dropTemplate(): Promise<void> {
  await drop(process.env[SERVER]!, process.env[TEMPLATE]!);
}

/** PostgreSQL's autovacuum may be at work in it for a moment, and nobody but a superuser may send that away. */
async function drop(server: string, name: string, attempts = 50): Promise<void> {
  try {
    await onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  } catch (error) {
    if (attempts === 0 || (error as { code?: string }).code !== '42501') throw error;
    await new Promise((resolve) => setTimeout(resolve, 100));
    await drop(server, name, attempts - 1);
  }
}

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A database of its own for a test file: a copy of the migrated one, or of another that nobody uses, or an empty one. */
export async function createDatabase({
  empty = false,
  copyOf,
}: { empty?: boolean; copyOf?: TestDatabase } = {}): Promise<TestDatabase> {
  const server = process.env[SERVER]!;
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template = copyOf ? new URL(copyOf.url).pathname.slice(1) : process.env[TEMPLATE]!;
  await onServer(
    server,
    empty ? `CREATE DATABASE ${name}` : `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`,
  );
  return {
    url: urlOf(server, name),
    drop: () => drop(server, name),
  };
}
