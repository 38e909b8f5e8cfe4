import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/**
 * The wings of `src`, from the lowest to the highest. `yours` is every folder that is not part of the template. `app` is the
 * files at the top of `src`, and `src/commands`.
 */
const WINGS = ['platform', 'auth', 'web', 'accounts', 'modes', 'extras', 'yours', 'app'];
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
  // A room brings its migration along, and the playground runs a client. Both import nothing of `src`.
  .filter(({ to }) => !/^(?:migrations|examples\/clients)\//.test(to));

function wingOf(file: string): string {
  const wing = /^src\/(?!commands\/)([^/]+)\//.exec(file)?.[1] ?? 'app';
  return [...WINGS, 'examples'].includes(wing) ? wing : 'yours';
}

function roomOf(file: string): string {
  const [, folder, room] = file.split('/');
  if (ONE_ROOM.has(wingOf(file))) return wingOf(file);
  return wingOf(file) === 'yours' ? folder! : posix.join(folder!, room!);
}

function isDownward({ from, to }: Import): boolean {
  if (roomOf(from) === roomOf(to)) return true;
  if (wingOf(from) === 'examples') return wingOf(to) === 'examples' || BELOW_EXAMPLES.test(roomOf(to));
  if (wingOf(to) === 'examples') return ['yours', 'app'].includes(wingOf(from));
  return WINGS.indexOf(wingOf(to)) <= WINGS.indexOf(wingOf(from));
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
  it('imports only downwards', () => {
    expect(show(imports.filter((one) => !isDownward(one)))).toEqual([]);
  });

  it('has no cycle between rooms', () => {
    expect(show(turnsBack())).toEqual([]);
  });
});
