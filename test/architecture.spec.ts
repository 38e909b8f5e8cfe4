import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** The wings of `src`, from the lowest to the highest. `app` is the files at the top of `src`, and `src/commands`. */
const WINGS = ['platform', 'auth', 'web', 'accounts', 'modes', 'extras', 'app'];
/** Wings that are one room. */
const ONE_ROOM = new Set(['auth', 'app']);
/** What the examples can import besides each other. Only `app` imports them. */
// An example can use another one, as `reports` does.
const BELOW_EXAMPLES = /^(platform|auth|web|accounts\/subjects)(\/|$)/;

const IMPORT = /(?:\bfrom|\bimport|\bdeclare module)\s*\(?\s*'(\.[^']+)'/g;

interface Import {
  readonly from: string;
  readonly to: string;
}

const imports: Import[] = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => posix.join('src', file.replaceAll('\\', '/')))
  .flatMap((from) =>
    [...readFileSync(from, 'utf8').matchAll(IMPORT)].map(([, path]) => ({
      from,
      to: posix.join(posix.dirname(from), path!).replace(/\.js$/, '.ts'),
    })),
  )
  // A room brings its migration along, which imports nothing of `src`.
  .filter(({ to }) => !to.startsWith('migrations/'));

const wingOf = (file: string): string => /^src\/(?!commands\/)([^/]+)\//.exec(file)?.[1] ?? 'app';
const roomOf = (file: string): string =>
  ONE_ROOM.has(wingOf(file)) ? wingOf(file) : posix.join(wingOf(file), file.split('/')[2]!);

function isDownward({ from, to }: Import): boolean {
  if (roomOf(from) === roomOf(to)) return true;
  if (wingOf(from) === 'examples') return wingOf(to) === 'examples' || BELOW_EXAMPLES.test(roomOf(to));
  if (wingOf(to) === 'examples') return wingOf(from) === 'app';
  const [above, below] = [WINGS.indexOf(wingOf(from)), WINGS.indexOf(wingOf(to))];
  return below !== -1 && below <= above;
}

/** The imports by which a walk through the rooms of a wing comes back. A cycle of several wings goes up somewhere. */
function turnsBack(): Import[] {
  const arrows = imports.filter(({ from, to }) => wingOf(from) === wingOf(to) && roomOf(from) !== roomOf(to));
  const left = new Set<string>();
  const visit = (room: string, way: readonly string[]): Import[] => {
    if (left.has(room)) return [];
    const found = arrows
      .filter(({ from }) => roomOf(from) === room)
      .flatMap((one) =>
        way.includes(roomOf(one.to)) ? [one] : visit(roomOf(one.to), [...way, roomOf(one.to)]),
      );
    left.add(room);
    return found;
  };
  return arrows.flatMap(({ from }) => visit(roomOf(from), [roomOf(from)]));
}

const show = (found: readonly Import[]) => found.map(({ from, to }) => `${from} imports ${to}`);

describe('the layout of src', () => {
  it('has a place in the order of wings for every file', () => {
    const unknown = imports.filter(({ from }) => ![...WINGS, 'examples'].includes(wingOf(from)));
    expect(unknown.map(({ from }) => from)).toEqual([]);
  });

  it('imports only downwards', () => {
    expect(show(imports.filter((one) => !isDownward(one)))).toEqual([]);
  });

  it('has no cycle between rooms', () => {
    expect(show(turnsBack())).toEqual([]);
  });
});
