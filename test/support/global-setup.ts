import { mkdtemp } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import 'reflect-metadata';
import { DataSource } from 'typeorm';
import '../../src/app.module.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../tools/dev-postgres/embedded-postgres.js';
import { build, BUILD } from './build.js';
import { createTemplate } from './databases.js';
import { PROBES } from './probe/probe.entity.js';
import { dataSourceOptions } from '../../src/platform/database/data-source.options.js';

export interface TestRun {
  postgres?: EmbeddedPostgres;
  directory?: string;
}

/** A PostgreSQL of the run's own, unless DATABASE_URL names one: any will do whose user may create databases. */
export default async function setup(): Promise<void> {
  const run: TestRun = {};
  (globalThis as { testRun?: TestRun }).testRun = run;
  process.env[BUILD] = resolve('.data', `test-build-${randomBytes(6).toString('hex')}`);
  build(process.env[BUILD]);
  let server = process.env['DATABASE_URL'];
  if (!server) {
    run.directory = await mkdtemp(join(tmpdir(), 'auth-modes-test-'));
    run.postgres = await startEmbeddedPostgres({ directory: run.directory, durable: false });
    server = run.postgres.url;
  }
  await createTemplate(server, migrate);
}

async function migrate(url: string): Promise<void> {
  const dataSource = await new DataSource(dataSourceOptions(url, 1)).initialize();
  await dataSource.runMigrations({ transaction: 'all' });
  await dataSource.query(PROBES);
  await dataSource.destroy();
}
