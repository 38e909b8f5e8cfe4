import 'reflect-metadata';
import { DataSource } from 'typeorm';
import '../../src/app.module.js';
import { dataSourceOptions } from '../../src/platform/database/data-source.options.js';
import { PROBES } from './probe/probe.entity.js';

/** Brings an empty database to the schema of the tests. */
export async function migrate(url: string): Promise<void> {
  const dataSource = await new DataSource(dataSourceOptions(url, 1)).initialize();
  await dataSource.runMigrations({ transaction: 'all' });
  await dataSource.query(PROBES);
  await dataSource.destroy();
}
