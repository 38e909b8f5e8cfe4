import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { freePort } from './programs.js';
import { until } from './until.js';

const PASSWORD = 'a-password-for-tests';

/** A Redis of its own, which can be killed, stopped and started again on the same port. */
export class Redis {
  #child: ChildProcess;

  private constructor(
    private readonly binary: string,
    private readonly directory: string,
    private readonly port: number,
  ) {}

  static async start(binary: string): Promise<Redis> {
    const directory = await mkdtemp(join(tmpdir(), 'redis-'));
    const redis = new Redis(binary, directory, await freePort());
    await redis.start();
    return redis;
  }

  get url(): string {
    return `redis://:${PASSWORD}@127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const settings = {
      port: this.port,
      bind: '127.0.0.1',
      save: '',
      requirepass: PASSWORD,
      dir: this.directory,
    };
    const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.#child = spawn(this.binary, options, { stdio: 'ignore' });
    await until(async () => {
      if (this.#child.exitCode !== null) throw new Error(`redis-server ended with ${this.#child.exitCode}`);
      return this.command(['PING']).then(
        () => true,
        () => false,
      );
    });
  }

  async command(words: string[]): Promise<unknown> {
    const client = createClient({ url: this.url, socket: { reconnectStrategy: false } });
    client.on('error', () => undefined);
    await client.connect();
    return client.sendCommand(words).finally(() => client.destroy());
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.kill('SIGKILL')) await once(this.#child, 'close');
  }

  /** It keeps its connections, and answers nothing. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true });
  }
}
