import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { useServer } from '../support/server.js';
import { runTour, tourOf } from '../support/tour.js';

describe.each([
  ['README.md', 6],
  ['docs/tour.md', 40],
])('the curl lines of %s', (path, atLeast) => {
  const context = useServer();

  it('answer with the status that each of them says', async () => {
    const tour = tourOf(await readFile(path, 'utf8'));
    const { expected, statuses, code, output } = await runTour(tour, {
      'http://localhost:3000': context.server.url,
    });
    expect(expected.length).toBeGreaterThanOrEqual(atLeast);
    expect({ statuses, code, output: statuses.length === expected.length ? '' : output }).toEqual({
      statuses: expected,
      code: 0,
      output: '',
    });
  });
});
