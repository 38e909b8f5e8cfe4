/**
 * A mark says to which rooms a part of a text belongs: `<!-- room: api-keys -->` … `<!-- /room -->` in Markdown, and a line
 * `# room: api-keys` … `# /room`, or the same with `//`, in code. It can name several rooms: the part goes with the first of them.
 * In a table or a list, a mark without an end stands for its row or item.
 */
const PAGE_MARK = /<!-- (?:room: (?<rooms>[\w, -]+)|\/room) -->/g;
const CODE_MARK = /^[ \t]*(?:\/\/|#) (?:room: (?<rooms>[\w, -]+)|\/room)\n/gm;
const MARKED_ROW = /^(?:\||[-*] |\d+\. ).*<!-- room: ([\w, -]+) -->(?!.*<!-- \/room -->).*\n/gm;
const ROW = /^(?:\||[-*] |\d+\. )/;

const names = (list: string): string[] => list.split(/[ ,]+/);

/** The text of a file without the parts that belong to removed rooms. The marks of rooms that stay stay too. */
export function cutMarks(file: string, text: string, removed: ReadonlySet<string>): string {
  const goes = (list: string) => names(list).some((name) => removed.has(name));
  if (!file.endsWith('.md')) return cutBlocks(text, CODE_MARK, goes);
  const rows = text.replaceAll(MARKED_ROW, (row, list: string) => (goes(list) ? '' : row));
  return cutBlocks(rows, PAGE_MARK, goes);
}

function cutBlocks(text: string, pattern: RegExp, goes: (list: string) => boolean): string {
  const open: boolean[] = [];
  let kept = '';
  let end = 0;
  for (const mark of text.matchAll(pattern)) {
    if (isRow(text, mark)) continue;
    const wasOut = open.includes(true);
    const list = mark.groups!['rooms'];
    if (list === undefined) open.pop();
    else open.push(goes(list));
    const staysIn = !wasOut && !open.includes(true);
    if (!wasOut) kept += text.slice(end, mark.index);
    if (staysIn) kept += mark[0];
    end = mark.index + mark[0].length;
  }
  return kept + text.slice(end);
}

/** Whether a mark stands for a row or an item, and so has no end. */
function isRow(text: string, mark: RegExpExecArray): boolean {
  const start = text.lastIndexOf('\n', mark.index - 1) + 1;
  const [line] = text.slice(start).split('\n', 1);
  return ROW.test(line!) && !line!.includes('<!-- /room -->');
}
