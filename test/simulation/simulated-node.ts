import { type ChildProcess, fork } from 'node:child_process';
import { built } from '../support/build.js';
import type { Call, Reply } from '../support/servers.main.js';

interface Waiting {
  resolve(value: any): void;
  reject(error: Error): void;
}

/** A node in a process of its own, with a clock that can be moved. It can be killed and started again. */
export class SimulatedNode {
  url = '';
  #child: ChildProcess | undefined;
  #calls = 0;
  readonly #waiting = new Map<number, Waiting>();

  constructor(
    readonly name: string,
    private readonly databaseUrl: string,
    private readonly env: Record<string, string>,
  ) {}

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  async start(): Promise<void> {
    const child = fork(built('test/support/servers.main.js'), [], {
      serialization: 'advanced',
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    child.on('message', (reply: Reply) => this.#settle(reply));
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${this.name} ended`));
      this.#waiting.clear();
    });
    this.#child = child;
    const listen = new URL(this.databaseUrl);
    listen.searchParams.set('application_name', this.name);
    const env = { ...this.env, DATABASE_LISTEN_URL: listen.href };
    const { url } = await this.call('start', { env, database: { url: this.databaseUrl } });
    this.url = url;
  }

  /** Moves the clock of this node. */
  advance(duration: string): Promise<void> {
    return this.call('clock', 'advance', duration);
  }

  /** Sets its time of day, in milliseconds from the right one. */
  set(ahead: number): Promise<void> {
    return this.call('clock', 'set', ahead);
  }

  log(): Promise<string[]> {
    return this.call('log');
  }

  async kill(): Promise<void> {
    const child = this.#child!;
    this.#child = undefined;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  }

  async stop(): Promise<void> {
    if (!this.isUp) return;
    await this.call('stop');
    await this.kill();
  }

  call(method: Call['method'], ...options: unknown[]): Promise<any> {
    const id = (this.#calls += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child!.send({ id, server: 0, method, options } satisfies Call);
    });
  }

  #settle({ id, value, error }: Reply): void {
    const waiting = this.#waiting.get(id)!;
    this.#waiting.delete(id);
    if (error === undefined) waiting.resolve(value);
    else waiting.reject(new Error(error));
  }
}
