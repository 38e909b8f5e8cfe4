/**
 * A mark says to which rooms a part of a text belongs: `<!-- room: api-keys -->` … `<!-- /room -->` in Markdown, and a line
 * `# room: api-keys` … `# /room`, or the same with `//`, in code. It can name several rooms: the part goes with the first of them.
 * In a table, a mark without an end stands for its row.
 */
const MARK =
  /<!-- (?:room: (?<page>[\w, -]+)|\/room) -->|^[ \t]*(?:\/\/|#) (?:room: (?<code>[\w, -]+)|\/room)\n/gm;
const MARKED_ROW = /^\|.*<!-- room: ([\w, -]+) -->(?!.*<!-- \/room -->).*\n/gm;

const names = (list: string): string[] => list.split(/[ ,]+/);

/** The text without the parts that belong to removed rooms. The marks of rooms that stay stay too. */
export function cutMarks(text: string, removed: ReadonlySet<string>): string {
  const goes = (list: string) => names(list).some((name) => removed.has(name));
  const rows = text.replaceAll(MARKED_ROW, (row, list: string) => (goes(list) ? '' : row));
  const open: boolean[] = [];
  let kept = '';
  let end = 0;
  for (const mark of rows.matchAll(MARK)) {
    if (isRow(rows, mark)) continue;
    const wasOut = open.includes(true);
    const list = mark.groups!['page'] ?? mark.groups!['code'];
    if (list === undefined) open.pop();
    else open.push(goes(list));
    const staysIn = !wasOut && !open.includes(true);
    if (!wasOut) kept += rows.slice(end, mark.index);
    if (staysIn) kept += mark[0];
    end = mark.index + mark[0].length;
  }
  return kept + rows.slice(end);
}

/** Whether a mark stands for the row of a table, and so has no end. */
function isRow(text: string, mark: RegExpExecArray): boolean {
  const start = text.lastIndexOf('\n', mark.index - 1) + 1;
  const [line] = text.slice(start).split('\n', 1);
  return line!.startsWith('|') && !line!.includes('<!-- /room -->');
}
