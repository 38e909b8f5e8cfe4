import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import ts from 'typescript';
import { cutMarks } from './marks.js';

const CODE = /\.[mc]?[jt]s$/;
/** `declare module '…' { interface AuthModes { session: true } }` */
const DECLARED = /interface (?:AuthModes|Scopes) \{([^}]*)\}/g;
/** `modes: ['session', 'jwt']` and `scopes: ['orders:read']` */
const REQUIRED = /\b(?:modes|scopes): \[([^\]]*)\]/g;
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/.*/g;
/** A key of an interface, with or without quotation marks, or an item of a list. */
const KEY = /'([^']+)'|(\w+)(?=:)/g;

/** The code of the project: which file needs which, and the rooms that they belong to. */
export class House {
  /** Every file of src, test, tools, migrations and examples, with the files that it needs. Paths are relative to the root. */
  readonly needs = new Map<string, ReadonlySet<string>>();
  /** Modes and scopes by name, with the file that declares each of them. */
  readonly declared: ReadonlyMap<string, string>;
  /** The rooms, such as `modes/sessions`. */
  readonly rooms: ReadonlySet<string>;

  /** What is marked as part of something in `removed` counts as removed. */
  constructor(
    readonly root: string,
    removed: ReadonlySet<string> = new Set(),
  ) {
    const files = ['src', 'test', 'tools', 'migrations', 'examples'].flatMap((folder) =>
      filesIn(root, folder),
    );
    const read = (file: string) => cutMarks(file, readFileSync(join(root, file), 'utf8'), removed);
    const texts = new Map(files.map((file) => [file, read(file)]));
    this.declared = declarationsOf(texts);
    for (const [file, text] of texts)
      this.needs.set(
        file,
        new Set([...importsOf(file, text, texts), ...declarersOf(file, text, this.declared)]),
      );
    this.rooms = new Set(files.flatMap((file) => roomOf(file) ?? []));
  }

  get files(): string[] {
    return [...this.needs.keys()];
  }

  /** The rooms that the code of a room needs, directly or through others, itself among them. */
  neededBy(room: string): Set<string> {
    const needed = new Set<string>();
    const waiting = [room];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (needed.has(next)) continue;
      needed.add(next);
      for (const [file, needs] of this.needs)
        if (file.startsWith(`src/${next}/`)) waiting.push(...[...needs].flatMap((to) => roomOf(to) ?? []));
    }
    return needed;
  }

  /** The files of `candidates` that need one of `removed`, directly or through other candidates. */
  broken(candidates: readonly string[], removed: Iterable<string>): string[] {
    const gone = new Set(removed);
    const broken: string[] = [];
    for (let before = -1; before !== broken.length;) {
      before = broken.length;
      for (const file of candidates)
        if (!gone.has(file) && [...this.needs.get(file)!].some((to) => gone.has(to))) {
          gone.add(file);
          broken.push(file);
        }
    }
    return broken;
  }
}

/** `modes/sessions` for a file of `src/modes/sessions` or `test/modes/sessions`. */
export function roomOf(file: string): string | undefined {
  const [top, wing, room, rest] = file.split('/');
  return (top === 'src' || top === 'test') && rest !== undefined ? `${wing}/${room}` : undefined;
}

function filesIn(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => CODE.test(file))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`);
}

function importsOf(file: string, text: string, known: ReadonlyMap<string, unknown>): string[] {
  const { importedFiles, ambientExternalModules = [] } = ts.preProcessFile(text, true, true);
  return [...importedFiles.map(({ fileName }) => fileName), ...ambientExternalModules]
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => posix.join(dirname(file), specifier))
    .map((path) => (known.has(path) ? path : path.replace(/js$/, 'ts')))
    .filter((path) => known.has(path));
}

const wordsIn = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].flatMap(([, list]) =>
    [...list!.matchAll(KEY)].map(([, quoted, word]) => (quoted ?? word)!),
  );

function declarationsOf(texts: ReadonlyMap<string, string>): Map<string, string> {
  const declared = new Map<string, string>();
  for (const [file, text] of texts)
    if (roomOf(file))
      for (const word of wordsIn(text.replaceAll(COMMENT, ''), DECLARED)) declared.set(word, file);
  return declared;
}

/** The files that declare the modes and scopes that a file of src names in its declarations. */
function declarersOf(file: string, text: string, declared: ReadonlyMap<string, string>): string[] {
  return wordsIn(text.replaceAll(COMMENT, ''), REQUIRED).flatMap((word) => declared.get(word) ?? []);
}
