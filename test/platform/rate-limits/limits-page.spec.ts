import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import '../../../src/app.js';
import { allAttemptLimits } from '../../../src/platform/rate-limits/attempt-limit.js';

const UNITS: [number, string][] = [
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
];
function inWords(seconds: number): string {
  const [size, unit] = UNITS.find(([size]) => seconds % size === 0)!;
  return `${seconds / size} ${unit}`;
}

describe('the limits in docs/production.md', () => {
  it('are those of the code', async () => {
    const page = await readFile('docs/production.md', 'utf8');
    const rows = [...page.matchAll(/^\| `([a-z-]+)` .*\|$/gm)]
      .map(([row]) => row.replace(/<!--.*-->/, '').split('|'))
      .map((cells) => cells.map((cell) => cell.trim()))
      .filter((cells) => /^\d+$/.test(cells[3]!))
      .map(([, name, , attempts, window, waits]) => [name, attempts, window, waits].join(' | '));
    const declared = allAttemptLimits().map(({ name, attempts, windowSeconds, waits }) => {
      const wait = waits ? `${inWords(waits.firstSeconds)} to ${inWords(waits.longestSeconds)}` : '';
      return [`\`${name}\``, attempts, inWords(windowSeconds), wait].join(' | ');
    });
    expect(declared.length).toBeGreaterThan(0);
    expect(rows.toSorted()).toEqual(declared.toSorted());
  });
});
