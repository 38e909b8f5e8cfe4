import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { CONFIG, type Config, ConfigError } from '../config/config.js';
import { LOGGER } from '../logging/logger.js';
import { AfterCommit } from './after-commit.js';
import { dataSourceOptions, RequestLimits } from './data-source.options.js';
import { migrate } from './migrate.js';
import './migration.commands.js';

/** On a connection of its own: no migration, nor the wait for one, is bound by the limits of a request. */
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
      'DATABASE_LISTEN_URL: is missing: DATABASE_URL names a pooler, through which nobody can listen',
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
        autoLoadEntities: true,
        toRetry: () => false,
        poolErrorHandler: (error: unknown) =>
          logger.warn({ err: error }, 'a connection to the database was lost'),
      }),
      dataSourceFactory: async (options) => {
        await migrateFirst((options as { url: string }).url);
        return connect(options as DataSourceOptions);
      },
    }),
  ],
  providers: [AfterCommit],
  exports: [AfterCommit],
})
export class DatabaseModule {}
