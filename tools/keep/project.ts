import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from './manifest.js';

/** What cannot be done as asked. The message says what to do instead. */
export class RefusedError extends Error {}

const TEXT = /\.(?:md|[mc]?[jt]s|json|ya?ml|sh|py|go)$|^\.ci\/|Dockerfile$|^\.dockerignore$/;
const MANIFEST = 'package.json';
const LOCK = 'package-lock.json';

/** The text files of a project that git knows. Paths are relative to its root. */
export class Project {
  constructor(readonly root: string) {}

  /** @throws RefusedError if there are changes that a `git reset` would lose */
  requireCommitted(): void {
    const { status, stdout } = this.run('git', ['status', '--porcelain']);
    if (status !== 0)
      throw new RefusedError('This is not a git repository. Run `git init`, and commit everything first.');
    if (stdout.trim())
      throw new RefusedError(
        `There are uncommitted changes. Commit them first. Nothing was changed.\n${stdout}`,
      );
  }

  texts(): string[] {
    const files = this.run('git', ['ls-files']).stdout.split('\n');
    return files.filter((file) => TEXT.test(file) && file !== LOCK && this.has(file));
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  read(file: string): string {
    return readFileSync(join(this.root, file), 'utf8');
  }

  /** Rewrites a file, if it exists and the change makes a difference. */
  change(file: string, how: (text: string) => string): void {
    if (!this.has(file)) return;
    const text = this.read(file);
    const changed = how(text);
    if (changed !== text) writeFileSync(join(this.root, file), changed);
  }

  manifest(): Manifest {
    return JSON.parse(this.read(MANIFEST)) as Manifest;
  }

  changeManifest(how: (manifest: Manifest) => void): void {
    const manifest = this.manifest();
    how(manifest);
    writeFileSync(join(this.root, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  }

  /** Formats what has changed since the last commit. */
  format(): void {
    const prettier = 'node_modules/prettier/bin/prettier.cjs';
    const changed = this.run('git', ['diff', '--name-only', '--diff-filter=d', 'HEAD']).stdout.trim();
    const options = ['--write', '--log-level', 'warn', '--ignore-unknown', ...changed.split('\n')];
    const { status, stdout, stderr } = this.run(process.execPath, [prettier, ...options]);
    if (status !== 0) throw new Error(`prettier failed:\n${stdout}${stderr}`);
  }

  /** Brings the lock file up to date. Without a network, the next `npm install` does it. */
  lock(): void {
    const { status } = this.run('npm', [
      'install',
      '--package-lock-only',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
    ]);
    if (status !== 0) console.error('The lock file could not be updated. `npm install` updates it.');
  }

  private run(program: string, options: readonly string[]) {
    const shell = process.platform === 'win32' && program === 'npm';
    return spawnSync(program, options, { cwd: this.root, encoding: 'utf8', shell });
  }
}
