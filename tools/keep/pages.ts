import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { Gone } from './gone.js';

const FENCE = /(^```[\s\S]*?^```$)/m;
const LINK = /\]\((?!\w+:|#)([^)#\s]+)[^)\s]*\)/g;
const SENTENCE_END = /(?<=\D[.!?]\)?)\s+(?=[A-Z`[*])/;
const ITEM = /^(?:[-*] |\d+\. )/;
/** The heading and the line below it, of a table of which nothing else is left. */
const EMPTY_TABLE = /^\|.*\n\|[ :|-]+\|$/;
/** A heading under which nothing is left. */
const EMPTY_SECTION = /^(#+) .*\n+((?:<!--.*-->\n+)*)(?=(#+) |$(?![\s\S]))/gm;
/** A sentence that leads to a block that is gone. */
const LEAD_IN = /(?:(?<=[.!?])\s+|^)[^.!?]*:$/;

/** A document of a project, of which some things are gone. Its marks are cut before. */
export class Page {
  constructor(
    private readonly root: string,
    private readonly path: string,
    private readonly gone: Gone,
  ) {}

  /** The text without the rows, items, sentences and lines of code that name what is gone, or have a link to it. */
  cut(text: string): string {
    const blocks: string[] = [];
    for (const block of blocksOf(text)) {
      const rest = block.startsWith('```') ? this.cutCode(block) : this.cutBlock(this.gone.cutLists(block));
      if (rest !== '') blocks.push(rest);
      else if (blocks.at(-1)?.endsWith(':')) blocks.push(blocks.pop()!.replace(LEAD_IN, ''));
    }
    const cut = `${blocks.filter(Boolean).join('\n\n')}\n`;
    return cut === `${blocksOf(text).join('\n\n')}\n` ? text : withoutEmpty(cut);
  }

  /** The numbers of the lines that still name what is gone. */
  left(text: string): number[] {
    let isCode = false;
    return text.split('\n').flatMap((line, index) => {
      if (line.startsWith('```')) isCode = !isCode;
      return this.isDead(line) || (isCode ? this.gone.isIn(line) : this.gone.isNamed(line))
        ? [index + 1]
        : [];
    });
  }

  private isDead = (text: string): boolean =>
    [...text.matchAll(LINK)].some(
      ([, to]) => !existsSync(join(this.root, normalize(join(dirname(this.path), to!)))),
    );

  private goes = (text: string): boolean => this.isDead(text) || this.gone.isNamed(text);

  private cutBlock(block: string): string {
    if (block.startsWith('|'))
      return withoutHeading(
        linesOf(block, (row) => !this.isDead(row) && !this.gone.isNamed(row.split('|', 2)[1]!)),
      );
    if (block.startsWith('#')) return block;
    if (!ITEM.test(block)) return this.sentencesOf(block).join(' ');
    return block
      .split(/\n(?=[-*] |\d+\. )/)
      .map((item) => this.sentencesOf(item))
      .filter(([first]) => first && ITEM.test(first))
      .map((sentences) => sentences.join(' '))
      .join('\n');
  }

  /** The sentences of a text that can stay. A text of which all can stay is one. */
  private sentencesOf(text: string): string[] {
    return this.goes(text) ? text.split(SENTENCE_END).filter((sentence) => !this.goes(sentence)) : [text];
  }

  /** A line of a diagram cannot go alone. */
  private cutCode(block: string): string {
    if (block.startsWith('```mermaid')) return block;
    const rest = linesOf(this.gone.cutTree(block), (line) => !this.gone.isIn(line));
    return /^```.*\n\s*```$/.test(rest) ? '' : rest;
  }
}

const linesOf = (text: string, keeps: (line: string) => boolean): string =>
  text.split('\n').filter(keeps).join('\n');

const withoutHeading = (table: string): string => (EMPTY_TABLE.test(table) ? '' : table);

const blocksOf = (text: string): string[] =>
  text
    .split(FENCE)
    .flatMap((part) =>
      part.startsWith('```') ? [part] : part.split(/\n{2,}/).map((block) => block.replace(/^\n+|\n+$/g, '')),
    )
    .filter(Boolean);

function withoutEmpty(page: string): string {
  const cut = page
    .replaceAll(/<!-- tour -->\n+(?![`\n])/g, '')
    .replaceAll(EMPTY_SECTION, (heading: string, level: string, marks: string, next?: string) =>
      next === undefined || next.length <= level.length ? marks : heading,
    );
  return cut === page ? page : withoutEmpty(cut);
}
