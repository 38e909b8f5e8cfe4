import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const NOT_OURS = /(^|\/)(node_modules|dist|coverage|\.data|\.git)(\/|$)|^CHANGELOG\.md$/;

/** The files of the project whose paths match. */
export async function filesIn(folder: string, pattern: RegExp): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries.map(async (entry): Promise<string[]> => {
    const path = join(folder, entry.name);
    if (NOT_OURS.test(path)) return [];
    if (entry.isDirectory()) return filesIn(path, pattern);
    return pattern.test(path) ? [path] : [];
  });
  return (await Promise.all(found)).flat();
}

export const read = (path: string) => readFile(path, 'utf8');
export const manifest = JSON.parse(await read('package.json'));
/** The documents of the project by their paths, without the history of changes. */
export const pages = new Map<string, string>();
for (const path of await filesIn('.', /\.md$/)) pages.set(path, await read(path));
export const documents = [...pages.keys()];
/** The groups of all matches. */
export const all = (page: string, pattern: RegExp) =>
  [...page.matchAll(pattern)].map((match) => match.slice(1));
/** Inline code of a page. */
export const codeIn = (page: string): string[] =>
  all(page.replaceAll(/^```[\s\S]*?^```/gm, ''), /`([^`\n]+)`/g).map(([code]) => code!);
