import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Mutant } from './mutants.js';

/** Ends a run that hangs: a removed check can make a loop. */
const PATIENCE_MS = 600_000;
const LEFT_OUT = new Set(['.git', '.data', 'dist', 'node_modules']);

export interface Outcome {
  /** The first test that failed. Undefined: the mutant survived. */
  readonly killedBy: string | undefined;
}

/** A copy of the project, in which one check at a time is missing. The project itself is not changed. */
export class Workspace {
  readonly #root = mkdtempSync(join(tmpdir(), 'mutate-'));

  constructor(private readonly project: string) {
    cpSync(project, this.#root, {
      recursive: true,
      filter: (path) => !LEFT_OUT.has(path.slice(project.length + 1).split('/')[0]!),
    });
    symlinkSync(join(project, 'node_modules'), join(this.#root, 'node_modules'));
  }

  /** Runs the tests of the room, and all others if none of them fails. */
  async try({ file, text }: Mutant, original: string): Promise<Outcome> {
    writeFileSync(join(this.#root, file), text);
    try {
      const near = dirname(file).replace(/^src/, 'test');
      const stages = existsSync(join(this.#root, near)) ? [[near], []] : [[]];
      for (const paths of stages) {
        const killedBy = await this.#firstFailure(paths);
        if (killedBy !== undefined) return { killedBy };
      }
      return { killedBy: undefined };
    } finally {
      writeFileSync(join(this.#root, file), original);
    }
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #firstFailure(paths: readonly string[]): Promise<string | undefined> {
    const child = spawn('npm', ['test', '--silent', '--', '--bail', ...paths], {
      cwd: this.#root,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: PATIENCE_MS,
    });
    let output = '';
    child.stderr.on('data', (chunk) => (output += chunk));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    if (code === 0) return undefined;
    return /● (.*?›.*)/.exec(output)?.[1] ?? /FAIL (\S+)/.exec(output)?.[1] ?? 'the tests did not end';
  }
}
