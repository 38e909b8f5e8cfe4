import { type ChildProcess, spawn } from 'node:child_process';
import { built } from './build.js';

const ENCRYPTION_SECRETS = 'a-secret-for-tests-of-32-characters-and-more';

/** A server in a process of its own. */
export class Node {
  output = '';
  url = '';
  readonly exited: Promise<number | null>;

  private constructor(readonly child: ChildProcess) {
    child.stdout!.on('data', (chunk) => (this.output += chunk));
    child.stderr!.on('data', (chunk) => (this.output += chunk));
    this.exited = new Promise((resolve) => child.on('close', resolve));
  }

  /** Starts a node and waits until it listens. */
  static async start(env: NodeJS.ProcessEnv): Promise<Node> {
    const { PATH } = process.env;
    const child = spawn(process.execPath, [built('src/main.js')], {
      env: {
        PATH,
        NODE_ENV: 'test', // the log is JSON
        PORT: '0',
        HOST: '127.0.0.1',
        ISSUER: 'http://auth.example.com',
        ENCRYPTION_SECRETS,
        ...env,
      },
    });
    const node = new Node(child);
    while (!node.url) {
      node.url = /listens at\s+(\S+)/.exec(node.output)?.[1]?.replace('localhost', '127.0.0.1') ?? '';
      if (child.exitCode !== null) throw new Error(`the node ended:\n${node.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return node;
  }

  /** Its process. */
  get pid(): number {
    return this.child.pid!;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) this.child.kill('SIGTERM');
    await this.exited;
  }
}
