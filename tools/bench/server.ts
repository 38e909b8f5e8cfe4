import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { OF_SERVER } from './processors.js';

/** Ticks of /proc/PID/stat in a second: fixed by Linux. */
const TICKS = 100;

const isUp = (url: string): Promise<boolean> =>
  fetch(`${url}/health/live`).then(
    ({ ok }) => ok,
    () => false,
  );

/** A server in a process of its own, whose CPU time can be read. */
export class Server {
  private constructor(
    readonly url: string,
    /** Milliseconds from the start of the process to its first answer. */
    readonly startMs: number,
    private readonly child: ChildProcess,
    private readonly file: string,
  ) {}

  /** Starts a program on one processor, and waits until it listens. */
  static async start(
    directory: string,
    name: string,
    program: string[],
    env: NodeJS.ProcessEnv,
  ): Promise<Server> {
    const file = join(directory, `${name}.log`);
    const out = openSync(file, 'w');
    const port = await freePort();
    const began = performance.now();
    const child = spawn('taskset', ['-c', OF_SERVER, process.execPath, ...program], {
      env: { PATH: process.env['PATH'], ...env, PORT: `${port}` },
      stdio: ['ignore', out, out],
    });
    closeSync(out);
    // A benchmark that fails must leave no server.
    process.once('exit', () => child.kill('SIGKILL'));
    const url = `http://127.0.0.1:${port}`;
    while (!(await isUp(url))) {
      if (child.exitCode !== null)
        throw new Error(`the ${name} server ended:\n${readFileSync(file, 'utf8')}`);
      await sleep(20);
    }
    return new Server(url, performance.now() - began, child, file);
  }

  /** The CPU time of all its threads, in microseconds. */
  cpu(): number {
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / TICKS;
  }

  /** Resident memory in megabytes. */
  memory(): number {
    const pages = Number(readFileSync(`/proc/${this.child.pid}/statm`, 'utf8').split(' ')[1]);
    return Math.round((pages * 4096) / 1_000_000);
  }

  /** Sends a signal, and waits until the log has the text. */
  async signal(signal: NodeJS.Signals, answer: string): Promise<void> {
    this.child.kill(signal);
    while (!readFileSync(this.file, 'utf8').includes(answer)) await sleep(100);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
  }
}
