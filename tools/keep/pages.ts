import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const FENCE = /(^```[\s\S]*?^```\n)/m;
const LINK = /\]\((?!\w+:|#)([^)#\s]+)[^)\s]*\)/g;
const ITEM = /^(?:\||\s*[-*] |\s*\d+\. )/;
/** A table of which only the heading is left. */
const EMPTY_TABLE = /^\|.*\n\|[ :|-]+\|\n(?!\|)/gm;
/** A heading under which nothing is left. */
const EMPTY_SECTION = /^(#+) .*\n+(?=(#+) |$(?![\s\S]))/gm;

/** What a page must no longer speak of. */
export interface Gone {
  /** Names of removed rooms, such as `api-keys`. */
  readonly rooms: readonly string[];
  /** Names that only a table row or a list item is about: settings, packages, and scripts such as `npm run x`. */
  readonly names: readonly string[];
}

/**
 * A page without what it says of removed things: rows and items about them or with a link to a file that is gone, and their names
 * in lists. Its marks are cut before.
 */
export function cutPage(root: string, path: string, page: string, { rooms, names }: Gone): string {
  const isDead = (line: string) =>
    [...line.matchAll(LINK)].some(([, to]) => !existsSync(join(root, normalize(join(dirname(path), to!)))));
  const isGone = (line: string) =>
    ITEM.test(line) && (isDead(line) || names.some((name) => subjectOf(line).includes(`\`${name}\``)));
  const text = page
    .split(FENCE)
    .map((part) => (part.startsWith('```') ? cutTree(part, rooms) : cutLines(part, isGone, rooms)))
    .join('');
  return text === page ? page : withoutEmpty(text);
}

/** The first cell of a row, or the whole of an item. */
const subjectOf = (line: string): string => (line.startsWith('|') ? line.split('|', 2)[1]! : line);

function cutLines(text: string, isGone: (line: string) => boolean, rooms: readonly string[]): string {
  const lines = text.split('\n').filter((line) => !isGone(line));
  return rooms.reduce((rest, room) => cutFromLists(rest, room), lines.join('\n'));
}

/** `a`, `b`, `c` without one of them. */
const cutFromLists = (text: string, name: string): string =>
  text
    .replaceAll(new RegExp(`(\`[\\w-]+\`,?) (and|or) \`${name}\``, 'g'), '$1')
    .replaceAll(`, \`${name}\``, '')
    .replaceAll(`\`${name}\`, `, '');

/** A tree of folders, where names of rooms stand behind the name of their wing, without some of them. */
const cutTree = (fence: string, rooms: readonly string[]): string =>
  fence.replaceAll(/^( *[\w-]+\/ +)(.*)$/gm, (_, wing: string, list: string) => {
    const cut = rooms.reduce(
      (rest, room) => rest.replace(new RegExp(` {0,2}(?<![\\w-])${room}(?![\\w-])`), ''),
      list,
    );
    return wing + cut.trimStart();
  });

function withoutEmpty(text: string): string {
  const cut = text.replaceAll(EMPTY_TABLE, '');
  return cut.replaceAll(EMPTY_SECTION, (heading: string, level: string, next?: string) =>
    next === undefined || next.length <= level.length ? '' : heading,
  );
}
