import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { findProgram } from '../support/programs.js';

/** Programs that come without what the examples need are none. */
const CHECKS: Record<string, string[]> = { python3: ['-c', 'import requests'] };

/** Whether this machine can run a command of a README, such as `python3 examples/…`. */
export function canRun(command: string): boolean {
  const [program = '', ...rest] = command.split(' ');
  const path = findProgram(program);
  if (path === undefined) return false;
  try {
    if (CHECKS[program]) execFileSync(path, CHECKS[program], { stdio: 'ignore' });
    return rest.length > 0;
  } catch {
    return false;
  }
}

/** A command in a shell, with an environment of its own. */
export class Running {
  output = '';
  errors = '';
  readonly #child;

  constructor(command: string, env: NodeJS.ProcessEnv) {
    const { PATH, HOME = tmpdir() } = process.env;
    this.#child = spawn('bash', ['-c', command], { env: { PATH, HOME, ...env } });
    this.#child.stdout.on('data', (chunk) => (this.output += chunk));
    this.#child.stderr.on('data', (chunk) => (this.errors += chunk));
    // It can end before it has read everything.
    this.#child.stdin.on('error', () => undefined);
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Ends the input, and waits for the end of the program. Returns its exit code. */
  async end(): Promise<number | null> {
    const closed = once(this.#child, 'close') as Promise<[number | null]>;
    this.#child.stdin.end();
    return (await closed)[0];
  }
}
