// room: users
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';

const PAGE = 'docs/clients.md';
const page = await readFile(PAGE, 'utf8');
const parts = [...page.matchAll(/<!-- from: (\S+) -->\n+```\w+\n([\s\S]*?)```/g)].map(
  ([, file, code]) => [file!, code!] as const,
);

/** The lines without their indentation, because a page does not indent a part of a file. */
const flat = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .join('\n');

describe(PAGE, () => {
  it.each(parts)('has a part of %s as it is there', async (file, code) => {
    expect(flat(await readFile(file, 'utf8'))).toContain(flat(code).trim());
  });

  it('has no other code', () => {
    expect(page.match(/^```\w+$/gm)).toHaveLength(parts.length);
  });
});
// /room
