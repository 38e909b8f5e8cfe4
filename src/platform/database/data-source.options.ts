import type { DataSourceOptions } from 'typeorm';
import { DatabasePool } from './database-pool.js';
import { impatientSocket } from './impatient-socket.js';
import { allMigrations } from './migrations.js';
import { z } from 'zod';
import { integer } from '../config/formats.js';
import { defineSettings, type SettingsOf } from '../config/settings.js';

/** With no host where the query names the directory of a socket, as in `postgresql://user:password@/db?host=/run`. */
const postgresUrl = z
  .string()
  .refine((text) => /^postgres(ql)?:\/\//.test(text) && URL.canParse(text.replace('@/', '@socket/')), {
    message: 'must be a URL that begins with postgres:// or postgresql://',
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
/** Longer than a statement may take: a server that is there says something before. */
const SILENCE_LIMIT_MS = 12_000;
/** Of a connection that nobody uses: shorter, so that only those in use are ever found silent. */
const IDLE_TIMEOUT_MS = 10_000;

/** How this project talks to PostgreSQL: for as long as it takes. Entities are added by who asks. */
export const dataSourceOptions = (url: string, poolSize: number) =>
  ({
    type: 'postgres',
    // Of pg, TypeORM uses the pool only.
    driver: { Pool: DatabasePool },
    url,
    applicationName: 'auth-modes',
    migrations: allMigrations(),
    migrationsTableName: 'migrations',
    synchronize: false,
    poolSize,
    // findOneBy({ id: undefined }) must be an error, not the first row.
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    extra: { connectionTimeoutMillis: CONNECT_TIMEOUT_MS },
  }) satisfies DataSourceOptions;

/** How long what a request asks may take. */
export class RequestLimits {
  constructor(
    private readonly silenceMs = SILENCE_LIMIT_MS,
    private readonly idleMs = IDLE_TIMEOUT_MS,
  ) {}

  /** For pg's pool. A pooler in transaction mode refuses settings that it would have to carry from client to client. */
  for({ throughPooler }: { throughPooler: boolean }) {
    return {
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: this.idleMs,
      stream: () => impatientSocket(this.silenceMs),
      ...(throughPooler ? {} : { statement_timeout: STATEMENT_TIMEOUT_MS }),
    };
  }
}
