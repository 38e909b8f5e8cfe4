import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';

const VERSION = /^\d+\.\d+\.\d+( \((unreleased|\d{4}-\d{2}-\d{2})\))?$/;
const CHANGE = /\. _Change in your project:_ \S.*\.$/;

/** The sections under a heading of some level, by their titles. */
function sectionsOf(text: string, level: string): [title: string, text: string][] {
  const [, ...parts] = `\n${text}`.split(`\n${level} `);
  return parts.map((part) => [part.split('\n', 1)[0]!, part]);
}

const entriesOf = (section: string): string[] => section.split('\n').filter((line) => line.startsWith('- '));

describe('CHANGELOG.md', () => {
  it('has a section for each release, with its version', async () => {
    const titles = sectionsOf(await readFile('CHANGELOG.md', 'utf8'), '##').map(([title]) => title);
    expect(titles.length).toBeGreaterThan(0);
    expect(titles.filter((title) => !VERSION.test(title))).toEqual([]);
  });

  it('says for each security fix what to change in a project that was made from this template', async () => {
    const releases = sectionsOf(await readFile('CHANGELOG.md', 'utf8'), '##');
    const fixes = releases
      .flatMap(([, release]) => sectionsOf(release, '###'))
      .flatMap(([title, section]) => (title === 'Security' ? entriesOf(section) : []));
    expect(fixes.length).toBeGreaterThan(0);
    expect(fixes.filter((fix) => !CHANGE.test(fix))).toEqual([]);
  });
});
