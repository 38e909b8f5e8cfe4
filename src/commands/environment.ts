import { resolve } from 'node:path';
import { type Config, ConfigError, makeSettings, readConfig } from '../platform/config/config.js';
import { StartError } from '../platform/config/start-error.js';
// room: embedded-postgres
import { withNotice } from './notice.js';
// /room

export interface Environment {
  readonly config: Config & { readonly DATABASE_URL: string };
  // room: embedded-postgres
  /** The system user of the embedded database, if it is not the current user. */
  readonly databaseUser?: string | undefined;
  // /room
  /** Stops what was started for it. */
  close(): Promise<void>;
}

/**
 * Reads the configuration. Outside production, rooms create missing settings, such as secrets, in the data directory.
 * @throws ConfigError
 */
export async function openEnvironment(environment: NodeJS.ProcessEnv = process.env): Promise<Environment> {
  const config = readConfig(environment);
  const directory = resolve(config.DATA_DIRECTORY);
  try {
    return await complete(config, directory);
  } catch (error) {
    throw explain(error, directory);
  }
}

async function complete(given: Config, directory: string): Promise<Environment> {
  const config = { ...given, ...(await makeSettings(given, directory)) };
  const { DATABASE_URL } = config;
  if (DATABASE_URL) return { config: { ...config, DATABASE_URL }, close: async () => undefined };
  // room: embedded-postgres
  if (!config.production) return withEmbeddedPostgres(config, directory);
  // /room
  throw new ConfigError([
    'DATABASE_URL: is missing. `docker compose up -d` starts a PostgreSQL; docs/configuration.md has its URL.',
  ]);
}

// room: embedded-postgres
/** Tests need no data that survives a crash of the machine. */
async function withEmbeddedPostgres(config: Config, directory: string): Promise<Environment> {
  const { startEmbeddedPostgres } = await import('../../tools/dev-postgres/embedded-postgres.js');
  const postgres = await withNotice('Starting the embedded PostgreSQL. The first start creates it…', () =>
    startEmbeddedPostgres({ directory, durable: config.NODE_ENV !== 'test' }),
  );
  return {
    config: { ...config, DATABASE_URL: postgres.url },
    databaseUser: postgres.user,
    close: () => postgres.stop(),
  };
}
// /room

function explain(error: unknown, directory: string): unknown {
  const { code = '', syscall = '' } = error as NodeJS.ErrnoException;
  return !syscall.startsWith('spawn') &&
    ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EEXIST'].includes(code)
    ? new StartError(
        `The folder ${directory} is not writable (${code}). Set DATA_DIRECTORY to a writable folder.`,
      )
    : error;
}
