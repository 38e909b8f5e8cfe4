// room: embedded-postgres
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../tools/dev-postgres/embedded-postgres.js';
// /room
import { createTemplate, dropTemplate } from './databases.js';
// room: embedded-postgres
import { removeCluster } from './embedded-cluster.js';

let postgres: EmbeddedPostgres | undefined;
let directory: string | undefined;

async function startPostgres(): Promise<string> {
  directory = await mkdtemp(join(tmpdir(), 'auth-modes-test-'));
  postgres = await startEmbeddedPostgres({ directory, durable: false });
  return postgres.url;
}

async function stopPostgres(): Promise<void> {
  await postgres?.stop();
  if (!directory) return;
  await removeCluster(directory);
  await rm(directory, { recursive: true, force: true });
}
// /room

/** The PostgreSQL of DATABASE_URL, whose user must be able to create databases, or one that is started for the run. */
async function findServer(): Promise<string> {
  let server = process.env['DATABASE_URL'];
  // room: embedded-postgres
  server ||= await startPostgres();
  // /room
  if (!server) throw new Error('The tests need a PostgreSQL. Set DATABASE_URL.');
  return server;
}

export async function setup(): Promise<void> {
  // The application loads while PostgreSQL starts.
  const [server, { migrate }] = await Promise.all([findServer(), import('./migrated-database.js')]);
  await createTemplate(server, migrate);
}

export async function teardown(): Promise<void> {
  await dropTemplate();
  // room: embedded-postgres
  await stopPostgres();
  // /room
}
