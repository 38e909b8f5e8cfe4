import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { built } from '../../support/build.js';

const PATH = pathToFileURL(built('src/platform/commands/standard-input.js')).href;

/** The number of bytes that a process of its own reads. */
function readOf(bytes: number): string {
  const work = `const { readInput } = await import('${PATH}');
    console.log((await readInput(1_000))?.length);`;
  const input = Buffer.alloc(bytes);
  return execFileSync(process.execPath, ['--input-type=module', '--eval', work], {
    input,
    encoding: 'utf8',
  }).trim();
}

describe('standard input', () => {
  it.each([
    [0, '0'],
    [1_000, '1000'],
    [1_001, 'undefined'],
  ])('of %d bytes is read as %s, if 1,000 are the limit', (bytes, expected) => {
    expect(readOf(bytes)).toBe(expected);
  });
});
