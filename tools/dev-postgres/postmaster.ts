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

/** Which binaries run, on which data directory, as whom (as ourselves when uid and gid are missing). */
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

/** The live postmaster of this cluster: postmaster.pid is believed only where the process bears it out. */
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

/** Starts the server; done when it accepts connections. */
export async function launch(cluster: Cluster, settings: string[], log: string) {
  for (const end = Date.now() + START_LIMIT_MS; ; await sleep(100)) {
    try {
      return await attempt(cluster, settings, log);
    } catch (error) {
      // Where a server was killed, its queries run on to their end, and PostgreSQL will not start beside them.
      if (Date.now() > end || !String(error).includes('is still in use')) throw error;
    }
  }
}

async function attempt(cluster: Cluster, settings: string[], log: string) {
  await rm(log, { force: true });
  // A file, because a pipe would end with us while the server still shuts down.
  const output = openSync(log, 'wx', 0o600);
  const args = ['-D', cluster.data, ...settings.flatMap((setting) => ['-c', setting])];
  const child = await spawnProgram(cluster, 'postgres', args, 'INT', ['ignore', output, output]);
  closeSync(output);
  child.unref();
  const exit = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  /** Settles when no trace of the process is left, not even a zombie. */
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

/** Returns when the process is gone; a process that is not this cluster's postmaster is never signalled. */
export async function shutDown(cluster: Cluster, pid: number): Promise<void> {
  if (await ended(cluster, pid, 'INT', FAST_SHUTDOWN_LIMIT_MS)) return;
  if (await ended(cluster, pid, 'QUIT', IMMEDIATE_SHUTDOWN_LIMIT_MS)) return;
  throw new StartError(`The embedded PostgreSQL (process ${pid}) does not stop`);
}

async function ended(cluster: Cluster, pid: number, signal: 'INT' | 'QUIT', limit: number): Promise<boolean> {
  if (isPostmaster(pid, cluster.data)) {
    // Node's kill() on Windows knows no signals, it ends the process.
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
    // It ended meanwhile; or, if we may not, the wait for its end will tell.
  }
}

/** Linux sends the signal to the program when we die, by kill -9 too; elsewhere the next start finds what is left. */
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
    // Nothing of our own environment, where secrets are. No server runs now, so a process id in postmaster.pid is
    // stale, but may be an innocent program's: PostgreSQL takes that of its grandparent for no rival, and goes on to
    // make sure that no orphaned backend of the old server is still in its shared memory.
    env: {
      PATH: process.env['PATH'],
      SystemRoot: process.env['SystemRoot'],
      LC_ALL: 'C',
      PG_GRANDPARENT_PID: lastPid > 0 && !isPostmaster(lastPid, data) ? String(lastPid) : undefined,
    },
    detached: true, // Ctrl-C in the terminal reaches us only, and the server ends after the last query.
    windowsHide: true,
  });
}

function canDieWithUs(): boolean {
  return process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'INT', 'true']).status === 0;
}
