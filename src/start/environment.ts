import { readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Config, ConfigError, readConfig, whyNoSecret } from '../config/config.js';
import { randomSecret } from '../crypto/secret.js';
import { startEmbeddedPostgres } from '../database/embedded-postgres.js';

export interface Environment {
  readonly config: Config & { readonly DATABASE_URL: string };
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
  const secrets =
    config.ENCRYPTION_SECRETS.length > 0 ? config.ENCRYPTION_SECRETS : [await ownSecret(directory)];
  if (config.DATABASE_URL)
    return {
      config: { ...config, DATABASE_URL: config.DATABASE_URL, ENCRYPTION_SECRETS: secrets },
      close: async () => undefined,
    };
  await mkdir(directory, { recursive: true });
  const postgres = await startEmbeddedPostgres({ directory });
  return {
    config: { ...config, DATABASE_URL: postgres.url, ENCRYPTION_SECRETS: secrets },
    close: () => postgres.stop(),
  };
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
    throw new ConfigError([
      `ENCRYPTION_SECRETS: the file key-encryption-secret in the data directory: ${fault}`,
    ]);
  return secret;
}
