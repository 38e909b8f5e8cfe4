import { House } from './house.js';
import { packagesOf } from './manifest.js';
import type { Project } from './project.js';

/** `name` stands for rooms, modes, scopes, routes, files and folders. */
export type Kind = 'setting' | 'script' | 'package' | 'export' | 'name';

/** Code that runs in browsers names routes of other rooms. */
const SOURCE = /^src\/(?!.*\/browser\/).*\.ts$/;
const SUPPORT = /^test\/support\/.*\.ts$/;
const SETTING = /(?:^|[{,]) +([A-Z][A-Z_0-9]+): /gm;
const EXPORT = /^export (?:async |abstract )?(?:function|const|class|interface|type) (\w+)/gm;
const ROUTE = /\b((?:v1|oauth|well-known)\/[a-z][a-z.-]+)/g;

/** What documents call things by. */
export function namesOf(project: Project): Map<string, Kind> {
  const files = project.texts();
  const texts = (of: RegExp) => files.filter((file) => of.test(file)).map((file) => project.read(file));
  const sources = texts(SOURCE);
  const declaring = sources.filter((text) => text.includes('defineSettings('));
  const house = new House(project.root);
  const manifest = project.manifest();
  const named: [Kind, readonly string[]][] = [
    ['export', found(EXPORT, [...sources, ...texts(SUPPORT)])],
    ['name', [...files, ...files.flatMap(foldersOf)]],
    ['name', [...house.rooms].map((room) => room.split('/')[1]!)],
    ['name', [...house.declared].flatMap(([name, file]) => (SOURCE.test(file) ? name : []))],
    ['name', found(ROUTE, sources)],
    ['setting', found(SETTING, declaring)],
    ['script', Object.keys(manifest.scripts).map((name) => `npm run ${name}`)],
    ['package', packagesOf(manifest)],
  ];
  return new Map(named.flatMap(([kind, names]) => names.map((name) => [name, kind] as const)));
}

const found = (pattern: RegExp, texts: readonly string[]): string[] =>
  texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name]) => name!));

/** `src` and `src/auth` for `src/auth/scopes.ts`. */
const foldersOf = (file: string): string[] =>
  file
    .split('/')
    .slice(0, -1)
    .map((_, depth, names) => names.slice(0, depth + 1).join('/'));
