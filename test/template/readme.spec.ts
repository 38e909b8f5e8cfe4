// room: users, orders
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { useServer } from '../support/server.js';
import { runTour, tourOf } from './tour.js';

describe.each(['README.md', 'docs/tour.md'])('the curl lines of %s', (path) => {
  const context = useServer();

  it('answer with the status that each of them says', async () => {
    const tour = tourOf(await readFile(path, 'utf8'));
    const { expected, statuses, code, output } = await runTour(tour, {
      'http://localhost:3000': context.server.url,
    });
    expect(expected.length).toBeGreaterThan(0);
    expect({ statuses, code, output: statuses.length === expected.length ? '' : output }).toEqual({
      statuses: expected,
      code: 0,
      output: '',
    });
  });
});
// /room
