import { readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Config, ConfigError, readConfig, whyNoSecret } from '../platform/config/config.js';
import { StartError } from '../platform/config/start-error.js';
import { randomSecret } from '../platform/crypto/secret.js';
import { startEmbeddedPostgres } from '../../tools/dev-postgres/embedded-postgres.js';
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
 * directory: an embedded PostgreSQL and the secret that encrypts signing keys.
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
  const secrets =
    config.ENCRYPTION_SECRETS.length > 0 ? config.ENCRYPTION_SECRETS : [await ownSecret(directory)];
  if (config.DATABASE_URL)
    return {
      config: { ...config, DATABASE_URL: config.DATABASE_URL, ENCRYPTION_SECRETS: secrets },
      close: async () => undefined,
    };
  const postgres = await withNotice('Preparing the embedded PostgreSQL; the first start creates it…', () =>
    startEmbeddedPostgres({ directory }),
  );
  return {
    config: { ...config, DATABASE_URL: postgres.url, ENCRYPTION_SECRETS: secrets },
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

/** Made once; whoever else starts at the same moment reads what was written first. */
async function ownSecret(directory: string): Promise<string> {
  const file = join(directory, 'key-encryption-secret');
  await mkdir(directory, { recursive: true });
  try {
    await writeFile(file, randomSecret(), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    await chmod(file, 0o600);
  }
  const secret = readFileSync(file, 'utf8').trim();
  const fault = whyNoSecret(secret);
  if (fault)
    throw new ConfigError([`ENCRYPTION_SECRETS: the file key-encryption-secret in DATA_DIRECTORY: ${fault}`]);
  return secret;
}
