import Sequencer from '@jest/test-sequencer';

/**
 * What takes longest comes first, so that no core waits for one long file at the end. Jest itself orders by what it
 * measured the last time, and in a fresh clone by the length of the files, which here only import others.
 */
const LONGEST_FIRST = ['faults', 'start', 'commands', 'e2e/access', 'e2e/tokens', 'embedded', 'nodes', 'e2e'];

const rank = ({ path }) => {
  const index = LONGEST_FIRST.findIndex((name) => path.includes(name));
  return index < 0 ? LONGEST_FIRST.length : index;
};

export default class LongestFirst extends Sequencer {
  sort(tests) {
    return tests.toSorted((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
  }
}
