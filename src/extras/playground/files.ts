import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { versionOf } from '../../web/pages/html-page.js';

/** The build has the compiled modules there. */
const FOLDER = join(import.meta.dirname, 'browser');

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

/** All files, read once. */
function allFiles(): ReadonlyMap<string, PlaygroundFile> {
  files ??= new Map(
    readdirSync(FOLDER)
      .toSorted()
      .flatMap((name) => {
        const type = TYPES[/\.\w+$/.exec(name)?.[0] ?? ''];
        return type ? [[name, { type, body: readFileSync(join(FOLDER, name)) }] as const] : [];
      }),
  );
  return files;
}

export const playgroundFile = (name: string): PlaygroundFile | undefined => allFiles().get(name);

/** The modules of the page. It loads them all at once, instead of one import after the other. */
export const playgroundModules = (): string[] =>
  [...allFiles().keys()].filter((name) => name.endsWith('.js'));

let version: string | undefined;

/** Changes with any of the files. */
export const playgroundVersion = (): string =>
  (version ??= versionOf([...allFiles().values()].map(({ body }) => String(body)).join('\0')));
