import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROJECT = process.cwd();
/** Of this test run. A run in the clone has its own. */
const OF_RUN = /^(?:TEST_|JEST_|NODE_ENV$)/;

export interface Outcome {
  readonly status: number;
  readonly output: string;
}

/** The committed project in a temporary folder, with the packages of this one. */
export class Clone {
  private constructor(readonly folder: string) {}

  static async make(): Promise<Clone> {
    const clone = new Clone(await mkdtemp(join(tmpdir(), 'clone-')));
    const { status, output } = await clone.run('git', 'clone', '-q', PROJECT, '.');
    if (status !== 0) throw new Error(output);
    await symlink(join(PROJECT, 'node_modules'), join(clone.folder, 'node_modules'));
    // A link is not a folder, so .gitignore does not match it.
    await writeFile(join(clone.folder, '.git/info/exclude'), 'node_modules\n');
    return clone;
  }

  run(program: string, ...options: string[]): Promise<Outcome> {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OF_RUN.test(name)));
    return new Promise((resolve) => {
      const child = execFile(
        program,
        options,
        { cwd: this.folder, env, maxBuffer: 1e8 },
        (_, stdout, stderr) => resolve({ status: child.exitCode ?? 1, output: stdout + stderr }),
      );
    });
  }

  npm(...options: string[]): Promise<Outcome> {
    return this.run('npm', ...options);
  }

  read(file: string): Promise<string> {
    return readFile(join(this.folder, file), 'utf8');
  }

  async change(file: string, change: (text: string) => string): Promise<void> {
    await writeFile(join(this.folder, file), change(await this.read(file)));
  }

  /** Copies a folder of this project over the clone. */
  async add(folder: string): Promise<void> {
    await cp(join(PROJECT, folder), this.folder, { recursive: true });
  }

  async delete(path = ''): Promise<void> {
    await rm(join(this.folder, path), { recursive: true });
  }
}
