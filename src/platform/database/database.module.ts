import { Global, Module } from '@nestjs/common';
import { InjectDataSource, TypeOrmModule } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { CONFIG, type Config, ConfigError } from '../config/config.js';
import { defineGauge, Instruments } from '../instruments/instruments.js';
import { LOGGER } from '../logging/logger.js';
import { AFTER_COMMIT } from '../logging/security-log.js';
import { AfterCommit } from './after-commit.js';
import type { DatabasePool } from './database-pool.js';
import { dataSourceOptions, RequestLimits } from './data-source.options.js';
import { migrate } from './migrate.js';
import { QueryCount } from './query-count.js';
import './migration.commands.js';

const CONNECTIONS = defineGauge(
  'database_pool_connections',
  'Open connections of the pool. The revocation feed uses one more',
);
const IDLE = defineGauge('database_pool_idle_connections', 'Open connections that no query uses');
const WAITING = defineGauge(
  'database_pool_waiting_requests',
  'Queries and transactions that wait for a connection',
);
const LIMIT = defineGauge(
  'database_pool_connections_limit',
  'The most connections of the pool: DATABASE_POOL_SIZE',
);

/** Uses its own connection, because migrations can take longer than the limits for requests. */
async function migrateFirst(url: string): Promise<void> {
  const dataSource = await new DataSource(dataSourceOptions(url, 1)).initialize();
  try {
    await migrate(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

async function connect(options: DataSourceOptions): Promise<DataSource> {
  try {
    return await new DataSource(options).initialize();
  } catch (error) {
    if (!String(error).includes('unsupported startup parameter')) throw error;
    throw new ConfigError([
      'DATABASE_LISTEN_URL: is required, because DATABASE_URL points to a pooler, which does not pass on notifications',
    ]);
  }
}

@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      extraProviders: [{ provide: RequestLimits, useFactory: () => new RequestLimits() }],
      inject: [CONFIG, LOGGER, RequestLimits],
      useFactory: (config: Config, logger: Logger, limits: RequestLimits) => ({
        ...dataSourceOptions(config.DATABASE_URL!, config.DATABASE_POOL_SIZE),
        extra: limits.for({ throughPooler: config.DATABASE_LISTEN_URL !== undefined }),
        ...(!config.production && { logger: new QueryCount() }),
        autoLoadEntities: true,
        toRetry: () => false,
        poolErrorHandler: (error: unknown) =>
          logger.warn({ err: error }, 'lost a connection to the database'),
      }),
      dataSourceFactory: async (options) => {
        await migrateFirst((options as { url: string }).url);
        return connect(options as DataSourceOptions);
      },
    }),
  ],
  providers: [AfterCommit, { provide: AFTER_COMMIT, useExisting: AfterCommit }],
  exports: [AfterCommit, AFTER_COMMIT],
})
export class DatabaseModule {
  constructor(@InjectDataSource() dataSource: DataSource, instruments: Instruments) {
    const { master: pool } = dataSource.driver as PostgresDriver & { readonly master: DatabasePool };
    instruments.add(CONNECTIONS, () => pool.totalCount);
    instruments.add(IDLE, () => pool.idleCount);
    instruments.add(WAITING, () => pool.waitingCount);
    instruments.add(LIMIT, () => pool.options.max);
  }
}
