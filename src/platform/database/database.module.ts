import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { CONFIG, type Config, ConfigError } from '../config/config.js';
import { LOGGER } from '../logging/logger.js';
import { AFTER_COMMIT } from '../logging/security-log.js';
import { AfterCommit } from './after-commit.js';
import { dataSourceOptions, RequestLimits } from './data-source.options.js';
import { migrate } from './migrate.js';
import { QueryCount } from './query-count.js';
import './migration.commands.js';

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
export class DatabaseModule {}
