import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StartError } from '../../src/platform/config/start-error.js';
import { spawnProgram, type Cluster } from './postmaster.js';

const random = () => randomBytes(24).toString('base64url');

/** Creates the cluster in a draft folder and renames it, so that an incomplete cluster is never used. */
export async function createCluster(cluster: Cluster, directory: string, fsync: boolean): Promise<void> {
  const parent = dirname(cluster.data);
  for (const name of await readdir(parent)) {
    if (!name.startsWith('postgres.new-')) continue;
    // Its initdb can still be writing.
    await rm(join(parent, name), { recursive: true, maxRetries: 20, retryDelay: 50 });
  }
  const draft = { ...cluster, data: `${cluster.data}.new-${randomBytes(4).toString('hex')}` };
  const { uid, gid } = cluster.account;
  await mkdir(draft.data, { mode: 0o700 });
  if (uid !== undefined && gid !== undefined) await chown(draft.data, uid, gid);
  await initialise(draft, fsync);
  await runSql(draft, ['create role app login createdb', 'create database app owner app']);
  await rm(passwordFile(directory), { force: true });
  if (await exists(cluster.data)) await rename(cluster.data, `${cluster.data}.incomplete-${Date.now()}`);
  await rename(draft.data, cluster.data);
}

async function initialise(cluster: Cluster, fsync: boolean): Promise<void> {
  const { uid, gid } = cluster.account;
  const pwfile = `${cluster.data}.password`;
  // The superuser's password is not kept, because single-user mode needs none.
  await writeFile(pwfile, random(), { flag: 'wx', mode: 0o600 });
  if (uid !== undefined && gid !== undefined) await chown(pwfile, uid, gid);
  const args = [
    '--username=postgres',
    `--pwfile=${pwfile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
  ];
  if (!fsync) args.push('--no-sync');
  try {
    await run(cluster, 'initdb', ['-D', cluster.data, ...args]);
  } finally {
    await rm(pwfile);
  }
}

export async function clusterExists({ data }: Cluster): Promise<boolean> {
  return exists(join(data, 'PG_VERSION'));
}

export async function readPassword(directory: string): Promise<string> {
  return readFile(passwordFile(directory), 'utf8');
}

/** The password of the application. Creates a new one if the file is missing. The server must not be running. */
export async function ensurePassword(cluster: Cluster, directory: string): Promise<string> {
  if (await exists(passwordFile(directory))) return readPassword(directory);
  const password = random();
  await runSql(cluster, [`alter role app password '${password}'`]);
  await writeFile(passwordFile(directory), password, { flag: 'wx', mode: 0o600 });
  return password;
}

/** A missing permission is an error, because an existing cluster must not be replaced. */
async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

function passwordFile(directory: string): string {
  return join(directory, 'postgres.password');
}

/** Runs SQL in single-user mode. Statements are on standard input, because other users can read arguments. */
async function runSql(cluster: Cluster, statements: string[]): Promise<void> {
  const settings = ['-c', 'exit_on_error=on', '-c', 'log_min_error_statement=panic'];
  const args = ['--single', '-D', cluster.data, ...settings, 'postgres'];
  await run(cluster, 'postgres', args, `${statements.join('\n')}\n`);
}

async function run(
  cluster: Cluster,
  program: 'initdb' | 'postgres',
  args: string[],
  input = '',
): Promise<void> {
  const child = await spawnProgram(cluster, program, args, 'KILL', 'pipe');
  let output = '';
  child.stdout?.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (output += text.toString()));
  child.stdin?.on('error', () => {}).end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (code !== 0) throw new StartError(`${program} of the embedded PostgreSQL failed:\n${output.trim()}`);
}
