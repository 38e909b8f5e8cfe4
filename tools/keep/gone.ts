import type { Kind } from './names.js';

const CODE = /`[^`\n]+`/g;
const PLAIN = /^[\w-]+$/;
const NOTHING = '(?!)';

const oneOf = (names: readonly string[]): string =>
  names.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('|') || NOTHING;

/** Whether a text has one of some names. `sessions` is a room, and not the end of `/v1/sessions`. */
function finder(names: readonly string[]): RegExp {
  const plain = oneOf(names.filter((name) => PLAIN.test(name)));
  const others = oneOf(names.filter((name) => !PLAIN.test(name)));
  return new RegExp(`(?<![\\w@.:-])(?:(?<!/)(?:${plain})|(?:${others}))(?![\\w-])`);
}

/** Names of things that are gone, and how to find them in a document. */
export class Gone {
  readonly #name: RegExp;
  readonly #inCode: RegExp;
  readonly #inList: RegExp;
  readonly #inTree: RegExp;

  /** Names of exports are too common to be searched in lines of code. Those of rooms stand in trees of folders too. */
  constructor(names: ReadonlyMap<string, Kind>, rooms: readonly string[]) {
    const all = [...names.keys(), ...rooms];
    this.#name = finder(all);
    this.#inCode = finder(all.filter((name) => names.get(name) !== 'export'));
    const quoted = `\`(?:${oneOf(all)})\``;
    this.#inList = new RegExp(
      `(?<=\`)(?:, and|, or|,| and| or)? ${quoted}|${quoted}(?:,| and| or)? (?=\`)`,
      'g',
    );
    this.#inTree = new RegExp(` {0,2}(?<![\\w-])(?:${oneOf(rooms)})(?![\\w-])`, 'g');
  }

  /** Whether a line of code names something. */
  isIn(code: string): boolean {
    return this.#inCode.test(code);
  }

  /** Whether a text names something, between backquotes. */
  isNamed(text: string): boolean {
    return text.match(CODE)?.some((code) => this.#name.test(code)) ?? false;
  }

  /** `a`, `b` and `c` without those that are gone. */
  cutLists(text: string): string {
    return text.replaceAll(this.#inList, '');
  }

  /** A tree, where names of rooms stand behind the name of their folder. A folder of which nothing is left goes. */
  cutTree(tree: string): string {
    return tree.replaceAll(/^( *[\w-]+\/ +)(.*)\n/gm, (line, folder: string, list: string) => {
      const rest = list.replaceAll(this.#inTree, '').trim();
      if (rest === list.trim()) return line;
      return rest ? `${folder}${rest}\n` : '';
    });
  }
}
