import type { DataSourceOptions } from 'typeorm';
import { DatabasePool } from './database-pool.js';
import { impatientSocket } from './impatient-socket.js';
import { allMigrations } from './migrations.js';
import { z } from 'zod';
import { integer } from '../config/formats.js';
import { defineSettings, type SettingsOf } from '../config/settings.js';

/** The host can be missing if the query has a socket directory: `postgresql://user:password@/db?host=/run`. */
const postgresUrl = z
  .string()
  .refine((text) => /^postgres(ql)?:\/\//.test(text) && URL.canParse(text.replace('@/', '@socket/')), {
    message: 'must be a URL that starts with postgres:// or postgresql://',
  });

const settings = defineSettings(
  {
    DATABASE_URL: postgresUrl.optional(),
    DATABASE_LISTEN_URL: postgresUrl.optional(),
    DATABASE_POOL_SIZE: integer(1, 500).default(10),
  },
  { requiredInProduction: ['DATABASE_URL'] },
);

declare module '../config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

const CONNECT_TIMEOUT_MS = 2_000;
const STATEMENT_TIMEOUT_MS = 10_000;
/** Longer than STATEMENT_TIMEOUT_MS, so that a working server always answers earlier. */
const SILENCE_LIMIT_MS = 12_000;
/** Shorter than SILENCE_LIMIT_MS, so that only connections in use can reach that limit. */
const IDLE_TIMEOUT_MS = 10_000;

/** Options for PostgreSQL, without time limits. Callers add entities. */
export const dataSourceOptions = (url: string, poolSize: number) =>
  ({
    type: 'postgres',
    // TypeORM uses nothing else of pg.
    driver: { Pool: DatabasePool },
    url,
    applicationName: 'auth-modes',
    migrations: allMigrations(),
    migrationsTableName: 'migrations',
    synchronize: false,
    poolSize,
    // findOneBy({ id: undefined }) must be an error instead of the first row.
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    extra: { connectionTimeoutMillis: CONNECT_TIMEOUT_MS },
  }) satisfies DataSourceOptions;

/** Time limits for the queries of requests. */
export class RequestLimits {
  constructor(
    private readonly silenceMs = SILENCE_LIMIT_MS,
    private readonly idleMs = IDLE_TIMEOUT_MS,
  ) {}

  /** Options for pg's pool. A pooler in transaction mode does not accept per-connection settings. */
  for({ throughPooler }: { throughPooler: boolean }) {
    return {
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: this.idleMs,
      stream: () => impatientSocket(this.silenceMs),
      ...(throughPooler ? {} : { statement_timeout: STATEMENT_TIMEOUT_MS }),
    };
  }
}
