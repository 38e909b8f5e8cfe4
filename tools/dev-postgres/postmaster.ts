import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '../../src/platform/config/start-error.js';
import { inspect } from './process-lock.js';

const START_LIMIT_MS = 30_000;
const FAST_SHUTDOWN_LIMIT_MS = 10_000;
const IMMEDIATE_SHUTDOWN_LIMIT_MS = 10_000;
const POLL_MS = 10;

/** Binaries, data directory and system user (the current one if uid and gid are missing). */
export interface Cluster {
  readonly bin: string;
  readonly data: string;
  readonly account: { uid?: number; gid?: number };
}

export interface Postmaster {
  readonly pid: number;
  readonly port: string;
  readonly ready: boolean;
}

/** The running postmaster of the cluster. The process must match postmaster.pid. */
export async function findPostmaster({ data }: Cluster): Promise<Postmaster | undefined> {
  const lines = await pidFile(data);
  const pid = Number.parseInt(lines[0]!, 10);
  if (!(pid > 0) || !isPostmaster(pid, data)) return undefined;
  return { pid, port: lines[3] ?? '', ready: lines[7]?.trim() === 'ready' };
}

async function pidFile(data: string): Promise<string[]> {
  return (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
}

function isPostmaster(pid: number, data: string): boolean {
  const command = inspect(pid)?.command ?? '';
  return process.platform === 'win32'
    ? command.startsWith('"postgres.exe"')
    : command.includes(` -D ${data} `);
}

/** Starts the server, and resolves when it accepts connections. */
export async function launch(cluster: Cluster, settings: string[], log: string) {
  for (const end = Date.now() + START_LIMIT_MS; ; await sleep(100)) {
    try {
      return await attempt(cluster, settings, log);
    } catch (error) {
      // After a killed server, its backends finish their queries first. PostgreSQL does not start meanwhile.
      if (Date.now() > end || !String(error).includes('is still in use')) throw error;
    }
  }
}

async function attempt(cluster: Cluster, settings: string[], log: string) {
  await rm(log, { force: true });
  // A file, because a pipe would end with this process while the server still shuts down.
  const output = openSync(log, 'wx', 0o600);
  const args = ['-D', cluster.data, ...settings.flatMap((setting) => ['-c', setting])];
  const child = await spawnProgram(cluster, 'postgres', args, 'INT', ['ignore', output, output]);
  closeSync(output);
  child.unref();
  const exit = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  /** Settles when the process is gone and not a zombie. */
  const reaped = () => {
    child.ref();
    return exit;
  };
  try {
    return { ...(await untilReady(cluster, child)), reaped };
  } catch (error) {
    const tail = (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-10).join('\n');
    throw new StartError(
      `The embedded PostgreSQL did not start: ${(error as Error).message}. ${log} ends with:\n${tail}`,
    );
  }
}

async function untilReady(cluster: Cluster, child: ChildProcess): Promise<Postmaster> {
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  child.once('exit', (code, signal) => (failure = new Error(`postgres ended with ${code ?? signal}`)));
  for (const end = Date.now() + START_LIMIT_MS; Date.now() < end; await sleep(POLL_MS)) {
    if (failure) throw failure;
    const found = await findPostmaster(cluster);
    if (found?.ready && found.pid === child.pid) return found;
  }
  if (child.pid) await shutDown(cluster, child.pid);
  throw new Error(`postgres was not ready after ${START_LIMIT_MS} ms`);
}

/** Stops the postmaster of the cluster, and never signals another process. */
export async function shutDown(cluster: Cluster, pid: number): Promise<void> {
  if (await ended(cluster, pid, 'INT', FAST_SHUTDOWN_LIMIT_MS)) return;
  if (await ended(cluster, pid, 'QUIT', IMMEDIATE_SHUTDOWN_LIMIT_MS)) return;
  throw new StartError(`The embedded PostgreSQL (process ${pid}) does not stop.`);
}

async function ended(cluster: Cluster, pid: number, signal: 'INT' | 'QUIT', limit: number): Promise<boolean> {
  if (isPostmaster(pid, cluster.data)) {
    // On Windows, Node's kill() ends the process.
    if (process.platform === 'win32') spawnSync(join(cluster.bin, 'pg_ctl'), ['kill', signal, String(pid)]);
    else kill(pid, `SIG${signal}`);
  }
  for (const end = Date.now() + limit; isPostmaster(pid, cluster.data); await sleep(POLL_MS)) {
    if (Date.now() > end) return false;
  }
  return true;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended, or this user cannot signal it. Then the caller's wait times out.
  }
}

/** On Linux, the program gets `signal` when this process dies. Elsewhere, the next start stops the orphan. */
export async function spawnProgram(
  { bin, data, account }: Cluster,
  program: 'initdb' | 'postgres',
  args: string[],
  signal: 'INT' | 'KILL',
  stdio: StdioOptions,
): Promise<ChildProcess> {
  const lastPid = Number.parseInt((await pidFile(data))[0]!, 10);
  const command = [
    ...(canDieWithUs() ? ['setpriv', '--pdeathsig', signal] : []),
    join(bin, program),
    ...args,
  ];
  return spawn(command[0]!, command.slice(1), {
    ...account,
    stdio,
    cwd: '/',
    // Not the environment of this process, which has secrets. No server is running, so the process id in postmaster.pid
    // is stale, but another program can have it now. PG_GRANDPARENT_PID tells
    // PostgreSQL to ignore that program. It still checks for orphaned backends in the old shared memory.
    env: {
      PATH: process.env['PATH'],
      SystemRoot: process.env['SystemRoot'],
      LC_ALL: 'C',
      PG_GRANDPARENT_PID: lastPid > 0 && !isPostmaster(lastPid, data) ? String(lastPid) : undefined,
    },
    detached: true, // Ctrl-C reaches only this process, and the server stops after the last query.
    windowsHide: true,
  });
}

function canDieWithUs(): boolean {
  return process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'INT', 'true']).status === 0;
}
