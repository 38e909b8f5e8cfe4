import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../dev-postgres/embedded-postgres.js';
import { Server } from './server.js';

export const AUDIENCE = 'https://bench.example.com';
const ENV = {
  NODE_ENV: 'production',
  HOST: '127.0.0.1',
  ISSUER: AUDIENCE,
  SMTP_URL: 'smtp://127.0.0.1:1',
  TRUSTED_PROXIES: 'loopback',
  ACCESS_TOKEN_TTL: '15m',
  ENCRYPTION_SECRETS: 'a-secret-for-the-benchmark-of-32-characters',
};
/** Settings of a server that remembers its credentials, and of one that remembers none. */
export const WARM = { CREDENTIAL_CACHE_TTL: '15m' };
export const COLD = { CREDENTIAL_CACHE_TTL: '0', CREDENTIAL_CACHE_SIZE: '0' };

/** A directory and a database for one benchmark. */
export interface Place {
  readonly directory: string;
  readonly database: string;
}

/** Starts the built server as in production. */
export const startServer = (
  { directory, database }: Place,
  name: string,
  env: Readonly<Record<string, string>>,
  program = 'dist/src/main.js',
): Promise<Server> =>
  Server.start(directory, name, [program], {
    ...ENV,
    DATABASE_URL: database,
    DATA_DIRECTORY: directory,
    ...env,
  });

/** Starts the empty routes of Nest on Fastify. */
export const startBare = ({ directory }: Place): Promise<Server> =>
  Server.start(directory, 'bare', ['--import', 'tsx', 'tools/bench/bare.ts'], {});

/** Runs `work` on DATABASE_URL, or on an embedded PostgreSQL that is removed afterwards. */
export async function inPlace(work: (place: Place) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  const given = process.env['DATABASE_URL'];
  const postgres = given ? undefined : await startEmbeddedPostgres({ directory });
  try {
    await work({ directory, database: given ?? postgres!.url });
  } finally {
    await postgres?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
