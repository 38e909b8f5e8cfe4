import { mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../src/commands/free-port.js';
import { clusterExists, createCluster, ensurePassword, readPassword } from './postgres-cluster.js';
import { locateCluster, userOf } from './postgres-location.js';
import { findPostmaster, launch, shutDown, type Cluster, type Postmaster } from './postmaster.js';
import { identify, isAlive, withLock } from './process-lock.js';

const SOCKET_PORT = '5432'; // part of the name of the socket
const SOCKET_PATH_LIMIT = 100; // in bytes; the limit is 108 on Linux and 104 on macOS

export interface EmbeddedPostgres {
  readonly url: string;
  /** false if another process started it. */
  readonly owner: boolean;
  /** The system user of the server, if this process is root: PostgreSQL refuses to run as root. */
  readonly user: string | undefined;
  stop(): Promise<void>;
}

/** Starts the PostgreSQL of a data directory, or attaches to it if it is already running. */
export async function startEmbeddedPostgres(options: {
  directory: string;
  /** false: faster, but a power failure loses data. For tests. */
  durable?: boolean;
}): Promise<EmbeddedPostgres> {
  const { durable = true } = options;
  await mkdir(options.directory, { recursive: true });
  const directory = await realpath(options.directory);
  return withLock(join(directory, 'postgres.lock'), async () => {
    const cluster = await locateCluster(directory);
    const running = await findPostmaster(cluster);
    if (running?.ready && (await isOwned(directory))) {
      const url = urlOf(cluster, running, await readPassword(directory));
      return { url, owner: false, user: userOf(cluster), stop: async () => {} };
    }
    // An orphan is stopped, because its settings can differ, and it would not end with this process.
    if (running) await shutDown(cluster, running.pid);
    if (!(await clusterExists(cluster))) await createCluster(cluster, directory, durable);
    return own(cluster, directory, durable);
  });
}

async function own(cluster: Cluster, directory: string, durable: boolean): Promise<EmbeddedPostgres> {
  const password = await ensurePassword(cluster, directory);
  const server = await launch(cluster, await settings(cluster, durable), join(directory, 'postgres.log'));
  await writeFile(ownerFile(directory), identify(process.pid), { mode: 0o600 });
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    // Removed first, so that no process attaches to a stopping server. After a crash, the file can belong to a successor.
    if ((await findPostmaster(cluster))?.pid === server.pid) await rm(ownerFile(directory), { force: true });
    await shutDown(cluster, server.pid);
    await server.reaped();
  };
  return {
    url: urlOf(cluster, server, password),
    owner: true,
    user: userOf(cluster),
    stop: () => (stopping ??= stop()),
  };
}

async function isOwned(directory: string): Promise<boolean> {
  return isAlive(await readFile(ownerFile(directory), 'utf8').catch(() => ''));
}

function ownerFile(directory: string): string {
  return join(directory, 'postgres.owner');
}

async function settings(cluster: Cluster, durable: boolean): Promise<string[]> {
  const address = usesSocket(cluster)
    ? [
        'listen_addresses=',
        `port=${SOCKET_PORT}`,
        `unix_socket_directories="${cluster.data.replaceAll('"', '""')}"`,
      ]
    : ['listen_addresses=127.0.0.1', `port=${await freePort()}`, 'unix_socket_directories='];
  return [
    ...address,
    'unix_socket_permissions=0700', // root can still connect
    'timezone=UTC',
    'log_timezone=UTC',
    'max_connections=200',
    ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ];
}

function usesSocket({ data }: Cluster): boolean {
  const path = join(data, `.s.PGSQL.${SOCKET_PORT}`);
  return process.platform !== 'win32' && Buffer.byteLength(path) < SOCKET_PATH_LIMIT;
}

function urlOf(cluster: Cluster, { port }: Postmaster, password: string): string {
  return usesSocket(cluster)
    ? `postgres://app:${password}@localhost:${port}/app?host=${encodeURIComponent(cluster.data)}`
    : `postgres://app:${password}@127.0.0.1:${port}/app`;
}
