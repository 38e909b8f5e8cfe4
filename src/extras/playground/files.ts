import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { versionOf } from '../../web/pages/html-page.js';

/** Above `src`, in the build. */
const ROOT = join(import.meta.dirname, '../../..');

/** The folder of the page's own files. */
export const PAGE = 'src/extras/playground/browser';

/** Modules of other folders that the page imports. */
const IMPORTED: readonly string[] = [
  // room: tokens
  'examples/clients/typescript/api-error.js',
  'examples/clients/typescript/retry.js',
  'examples/clients/typescript/tabs.js',
  'examples/clients/typescript/token-client.js',
  'examples/clients/typescript/token-pair.js',
  // /room
];

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
};

interface PlaygroundFile {
  readonly type: string;
  readonly body: Buffer;
}

let files: ReadonlyMap<string, PlaygroundFile> | undefined;

/** All files by their paths, read once. */
function allFiles(): ReadonlyMap<string, PlaygroundFile> {
  files ??= new Map(
    [...ownFiles(), ...IMPORTED.flatMap((path) => [path, `${path}.map`])].flatMap((path) => {
      const type = TYPES[/\.\w+$/.exec(path)?.[0] ?? ''];
      return type ? [[path, { type, body: readFileSync(join(ROOT, path)) }] as const] : [];
    }),
  );
  return files;
}

const ownFiles = (): string[] =>
  readdirSync(join(ROOT, PAGE))
    .toSorted()
    .map((name) => `${PAGE}/${name}`);

/** @param path such as `src/extras/playground/browser/main.js` */
export const playgroundFile = (path: string): PlaygroundFile | undefined => allFiles().get(path);

/** The paths of the modules of the page. It loads them all at once, instead of one import after the other. */
export const playgroundModules = (): string[] =>
  [...allFiles().keys()].filter((path) => path.endsWith('.js'));

let version: string | undefined;

/** Changes with any of the files. */
export const playgroundVersion = (): string =>
  (version ??= versionOf([...allFiles().values()].map(({ body }) => String(body)).join('\0')));
