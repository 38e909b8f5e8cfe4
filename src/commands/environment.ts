import { resolve } from 'node:path';
import { type Config, makeSettings, readConfig } from '../platform/config/config.js';
import { StartError } from '../platform/config/start-error.js';
import { withNotice } from './notice.js';

export interface Environment {
  readonly config: Config & { readonly DATABASE_URL: string };
  /** The user who runs the embedded database, where it is not ours. */
  readonly databaseUser?: string | undefined;
  /** Stops what was started for it: the embedded database. */
  close(): Promise<void>;
}

/**
 * The configuration with all that the server needs: outside production what is missing is made, once, in the data
 * directory: an embedded PostgreSQL, and the settings that rooms make themselves.
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

async function complete(config: Config, directory: string): Promise<Environment> {
  const completed = { ...config, ...(await makeSettings(config, directory)) };
  if (completed.DATABASE_URL)
    return { config: { ...completed, DATABASE_URL: completed.DATABASE_URL }, close: async () => undefined };
  const { startEmbeddedPostgres } = await import('../../tools/dev-postgres/embedded-postgres.js');
  const postgres = await withNotice('Preparing the embedded PostgreSQL; the first start creates it…', () =>
    startEmbeddedPostgres({ directory }),
  );
  return {
    config: { ...completed, DATABASE_URL: postgres.url },
    databaseUser: postgres.user,
    close: () => postgres.stop(),
  };
}

function explain(error: unknown, directory: string): unknown {
  const { code = '', syscall = '' } = error as NodeJS.ErrnoException;
  return !syscall.startsWith('spawn') &&
    ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EEXIST'].includes(code)
    ? new StartError(
        `The folder ${directory} cannot be written (${code}). Set DATA_DIRECTORY to a folder that this user can write to.`,
      )
    : error;
}
