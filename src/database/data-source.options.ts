import type { DataSourceOptions } from 'typeorm';
import * as migrations from '../../migrations/index.js';

const CONNECT_TIMEOUT_MS = 2_000;
const STATEMENT_TIMEOUT_MS = 10_000;

/** How this project talks to PostgreSQL. Entities are added by who asks. */
export const dataSourceOptions = (url: string, poolSize: number) =>
  ({
    type: 'postgres',
    url,
    applicationName: 'auth-modes',
    migrations: Object.values(migrations),
    migrationsTableName: 'migrations',
    synchronize: false,
    poolSize,
    // findOneBy({ id: undefined }) must be an error, not the first row.
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    extra: { connectionTimeoutMillis: CONNECT_TIMEOUT_MS, statement_timeout: STATEMENT_TIMEOUT_MS },
  }) satisfies DataSourceOptions;
