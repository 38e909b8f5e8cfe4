import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '../../src/platform/config/start-error.js';

const LOCK_LIMIT_MS = 90_000;
const LOCK_POLL_MS = 25;
const EMPTY_LOCK_MS = 2_000;

interface ProcessFacts {
  readonly start: string;
  readonly command: string;
}

/** Undefined if the process does not exist. */
export function inspect(pid: number): ProcessFacts | undefined {
  if (process.platform === 'linux') return inspectProc(pid);
  if (process.platform === 'win32') {
    const row = print('tasklist', ['/nh', '/fo', 'csv', '/fi', `PID eq ${pid}`]);
    return row.startsWith('"') ? { start: row.split(',')[0]!, command: row } : undefined;
  }
  const line = print('ps', ['-ww', '-o', 'lstart=', '-o', 'command=', '-p', String(pid)]);
  return line ? { start: line.slice(0, 24), command: line.slice(24).trim() } : undefined;
}

function inspectProc(pid: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie is dead, although it accepts signal 0.
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return { start: fields[19]!, command };
  } catch {
    return undefined;
  }
}

function print(program: string, args: string[]): string {
  return spawnSync(program, args, { encoding: 'utf8', windowsHide: true }).stdout?.trim() ?? '';
}

/** Identifies a process by id and start time, because ids are reused. */
export function identify(pid: number): string {
  return `${pid} ${inspect(pid)?.start ?? ''}`;
}

export function isAlive(identity: string): boolean {
  const pid = Number.parseInt(identity, 10);
  return pid > 0 && inspect(pid) !== undefined && identify(pid) === identity;
}

/** Runs work under a lock file. The lock of a dead process does not block. */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + LOCK_LIMIT_MS; !create(file); await sleep(LOCK_POLL_MS)) {
    if (Date.now() > end) throw new StartError(`Another process has held ${file} for too long.`);
    const holder = await holderOf(file);
    if (holder === undefined || isAlive(holder)) continue;
    // Two processes can find the same dead holder, and the second could remove the new lock of the first. So removal has a
    // lock of its own, and checks the holder again.
    await withLock(`${file}.${holder.replaceAll(/\W/g, '-')}`, async () => {
      if ((await holderOf(file)) === holder) await rm(file);
    });
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

function create(file: string): boolean {
  const ourselves = identify(process.pid);
  try {
    // Synchronous, because a kill between creating and writing would leave an empty lock.
    writeFileSync(file, ourselves, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (String(error).includes('EEXIST')) return false;
    throw error;
  }
}

/** Undefined if there is no lock, or if it is still being written. */
async function holderOf(file: string): Promise<string | undefined> {
  try {
    const [holder, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
    return holder || Date.now() - mtimeMs > EMPTY_LOCK_MS ? holder : undefined;
  } catch {
    return undefined;
  }
}
