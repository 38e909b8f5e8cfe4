import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/until.js';

const MAIN = `const part: string = 'one';
console.log(part, process.argv.slice(2).join(' '), (await import('./late.js')).late);
`;
const LATE = `export const late: number = 1;\n`;

/** A project with the scripts of this one, in a folder whose name has a space. */
class Project {
  constructor(readonly root: string) {}

  static async create(): Promise<Project> {
    const project = new Project(join(await mkdtemp(join(tmpdir(), 'auth-modes-scripts-')), 'a project'));
    await cp('scripts', join(project.root, 'scripts'), { recursive: true });
    await cp('.swcrc', join(project.root, '.swcrc'));
    await project.write('package.json', '{"type":"module"}');
    await project.write('src/main.ts', MAIN);
    await project.write('src/late.ts', LATE);
    await project.write('migrations/index.ts', 'export {};\n');
    await project.installCompiler();
    return project;
  }

  remove = () => rm(dirname(this.root), { recursive: true, force: true });
  installCompiler = () => symlink(resolve('node_modules'), join(this.root, 'node_modules'));
  removeCompiler = () => rm(join(this.root, 'node_modules'));
  read = (name: string) => readFile(join(this.root, name), 'utf8');

  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.root, name)), { recursive: true });
    await writeFile(join(this.root, name), text);
  }

  start(script: string, ...args: string[]): ChildProcess {
    return spawn(process.execPath, [join(this.root, 'scripts', script), 'src/main.js', ...args]);
  }

  /** What the launcher and the program print, and the exit code. Notices about work that takes long are left out. */
  async run(...args: string[]) {
    const child = this.start('run.mjs', ...args);
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name]!.on('data', (chunk) => (output[name] += chunk));
    const code = await new Promise<number | null>((done) => child.on('close', done));
    return { code, ...output, stderr: output.stderr.replace('Compiling the sources…\n', '') };
  }
}

describe('the scripts', () => {
  let project: Project;
  beforeEach(async () => {
    project = await Project.create();
  });
  afterEach(() => project.remove());

  const ran = (part: string) => ({ code: 0, stdout: `${part} a b 1\n`, stderr: '' });

  it('compile, run the program with its arguments, and compile again only what has changed', async () => {
    expect(await project.run('a', 'b')).toEqual(ran('one'));
    const late = join(project.root, 'dist/src/late.js');
    const before = await stat(late);
    await project.write('src/main.ts', MAIN.replace('one', 'two'));
    expect(await project.run('a', 'b')).toEqual(ran('two'));
    expect((await stat(late)).ino).toBe(before.ino);
  });

  it('copy stylesheets', async () => {
    await project.write('src/pages/look.css', 'p { color: red }\n');
    await project.run();
    expect(await project.read('dist/src/pages/look.css')).toBe('p { color: red }\n');
    await rm(join(project.root, 'src/pages/look.css'));
    await project.run();
    await expect(stat(join(project.root, 'dist/src/pages/look.css'))).rejects.toThrow('ENOENT');
  });

  it('remove files without a source', async () => {
    await project.write('src/gone.ts', LATE);
    await project.run();
    await rm(join(project.root, 'src/gone.ts'));
    await project.run();
    await expect(stat(join(project.root, 'dist/src/gone.js'))).rejects.toThrow('ENOENT');
  });

  it('do not disturb each other, nor a program that runs', async () => {
    expect(await project.run('a', 'b')).toEqual(ran('one'));
    let missing = 0;
    const over = new AbortController();
    const reader = (async () => {
      while (!over.signal.aborted) await project.read('dist/src/late.js').catch(() => (missing += 1));
    })();
    for (const [before, after] of [
      ['one', 'two'],
      ['two', 'three'],
    ] as const) {
      await project.write('src/main.ts', MAIN.replace('one', after));
      await project.write('src/late.ts', `${LATE}// ${before}\n`);
      const outcomes = await Promise.all([1, 2, 3, 4].map(() => project.run('a', 'b')));
      expect(outcomes).toEqual(outcomes.map(() => ran(after)));
    }
    over.abort();
    await reader;
    expect(missing).toBe(0);
  });

  it('need no compiler if there is a build', async () => {
    await project.run();
    await project.removeCompiler();
    expect(await project.run('a', 'b')).toEqual(ran('one'));
    await project.write('src/main.ts', MAIN.replace('one', 'two'));
    expect(await project.run('a', 'b')).toEqual({
      ...ran('one'),
      stderr:
        'The sources are newer than the build, but the compiler is not installed. The old build runs.\n',
    });
    await rm(join(project.root, 'src'), { recursive: true });
    expect(await project.run('a', 'b')).toEqual(ran('one'));
  });

  it('explain in one line that build and compiler are missing', async () => {
    await project.removeCompiler();
    expect(await project.run()).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'There is no build, and the compiler is not installed. Run `npm ci && npm run build`, then `npm ci --omit=dev`.\n',
    });
  });

  it('say in one line that the build cannot be written', async () => {
    await project.write('dist', '');
    expect(await project.run()).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^The build is not writable: .*\n$/),
    });
  });

  it('show the place of a syntax error without a stack, and keep the build from before', async () => {
    await project.run();
    const before = await project.read('dist/src/main.js');
    await project.write('src/main.ts', 'const = 1;\n');
    const { code, stderr } = await project.run();
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('main.ts:1:') });
    expect(stderr).not.toContain('    at ');
    expect(await project.read('dist/src/main.js')).toBe(before);
  });

  it('restart the program after a change, and keep it while the sources do not compile', async () => {
    const program = (
      part: string,
    ) => `process.on('SIGTERM', () => (console.log('${part} ends'), process.exit()));
console.log('${part} starts');
setInterval(() => undefined, 1_000);
`;
    await project.write('src/main.ts', program('one'));
    const child = project.start('watch.mjs');
    let output = '';
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (output += chunk));
    await until(() => output.includes('one starts'));
    await project.write('src/main.ts', 'const = 1;\n');
    await until(() => output.includes('main.ts:1:'));
    expect(output).not.toContain('one ends');
    await project.write('src/main.ts', program('two'));
    await until(() => output.includes('two starts'));
    expect(output.indexOf('one ends')).toBeLessThan(output.indexOf('two starts'));
    expect(output).toContain('one ends');
    child.kill('SIGTERM');
    expect(await new Promise((done) => child.on('close', done))).toBe(0);
    expect(output).toMatch(/two ends\n$/);
    expect(output).not.toContain('    at ');
  });

  it('end the watch when the program has done its work', async () => {
    const child = project.start('watch.mjs');
    expect(await new Promise((done) => child.on('close', done))).toBe(0);
  });

  it('build the same as the Nest CLI', async () => {
    await Promise.all(['nest-cli.json', 'tsconfig.json'].map((name) => cp(name, join(project.root, name))));
    await project.write('tools/tool.ts', LATE);
    const output = async () =>
      (await readdir(join(project.root, 'dist'), { recursive: true }))
        .filter((name) => name.endsWith('.js'))
        .toSorted();
    await project.run();
    const ours = await output();
    await rm(join(project.root, 'dist'), { recursive: true });
    const nest = spawn(process.execPath, [resolve('node_modules/@nestjs/cli/bin/nest.js'), 'build'], {
      cwd: project.root,
    });
    expect(await new Promise((done) => nest.on('close', done))).toBe(0);
    expect(await output()).toEqual(ours);
  });
});
