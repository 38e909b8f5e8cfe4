import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { House, roomOf } from './house.js';
import { RefusedError } from './project.js';
import { FOLLOWING, MODES, nameOf, NEEDED, PARTS, PROGRAMS } from './template.js';

export interface Request {
  /** Modes and extras by name, such as `sessions`. None stands for all modes. */
  readonly keep: readonly string[];
  /** Rooms and parts by name, or `examples`. */
  readonly without: readonly string[];
}

export interface Plan {
  /** The rooms of the template that stay, such as `modes/sessions`. */
  readonly kept: readonly string[];
  /** The names of the rooms and parts that go, such as `sessions`. */
  readonly removed: readonly string[];
  /** Files and folders to delete, relative to the root. */
  readonly deleted: readonly string[];
}

/** It has a line for each room. A line goes with its room. */
export const ROOMS = 'src/rooms.ts';
const EXAMPLES = 'examples';

/**
 * Decides what stays and what goes.
 * @throws RefusedError
 */
export function planFor(house: House, { keep, without }: Request): Plan {
  const removable = [...MODES, ...NEEDED, ...FOLLOWING].filter((room) => house.rooms.has(room));
  const roomNamed = (name: string): string =>
    removable.find((room) => nameOf(room) === name) ?? unknown(name, removable);
  const named = keep.length > 0 ? keep.map(roomNamed) : MODES.filter((mode) => house.rooms.has(mode));
  const parts = without.filter((name) => name in PARTS);
  const excluded = new Set(
    without
      .filter((name) => !parts.includes(name))
      .flatMap((name) =>
        name === EXAMPLES ? removable.filter((room) => room.startsWith('examples/')) : [roomNamed(name)],
      ),
  );
  const kept = keptRooms(house, named, excluded);
  const gone = removable.filter((room) => !kept.has(room));
  const removed = [...gone.map(nameOf), ...parts, ...(without.includes(EXAMPLES) ? [EXAMPLES] : [])];
  const rest = new House(house.root, new Set(removed));
  const deleted = deletedBy(rest, gone, removed);
  refuseBroken(rest, deleted);
  return { kept: [...kept].toSorted(), removed, deleted };
}

/** The named rooms with all that they need, and the following rooms of which all that they need stays. */
function keptRooms(house: House, named: readonly string[], excluded: ReadonlySet<string>): Set<string> {
  const removable = new Set<string>([...MODES, ...NEEDED, ...FOLLOWING]);
  const needs = (room: string) => [...house.neededBy(room)].filter((other) => removable.has(other));
  const kept = new Set(named.flatMap(needs));
  for (const room of kept) {
    if (!excluded.has(room)) continue;
    const needer = named.find((other) => house.neededBy(other).has(room))!;
    throw new RefusedError(
      `${nameOf(room)} cannot be removed: ${nameOf(needer)} needs it. Nothing was changed.`,
    );
  }
  // A room that stays can let another one stay.
  for (let before = -1; before !== kept.size;) {
    before = kept.size;
    for (const room of FOLLOWING)
      if (
        house.rooms.has(room) &&
        !excluded.has(room) &&
        !needs(room).some((o) => o !== room && !kept.has(o))
      )
        kept.add(room);
  }
  return kept;
}

/** What belongs to removed rooms: code, tests, test credentials, migrations and pages, and tests that need them. */
function deletedBy(house: House, rooms: readonly string[], removed: readonly string[]): string[] {
  const exists = (path: string) => existsSync(join(house.root, path));
  const programs = Object.keys(PROGRAMS).filter((path) =>
    PROGRAMS[path]!.some((name) => removed.includes(name)),
  );
  const folders = [
    ...rooms.flatMap((room) => [`src/${room}`, `test/${room}`]),
    ...removed.flatMap((name) => PARTS[name] ?? []),
    ...programs,
  ].filter(exists);
  const named = ['migrations', 'docs', 'docs/modes', 'docs/extras'].filter(exists).flatMap((folder) =>
    readdirSync(join(house.root, folder))
      .filter((file) => removed.includes(file.replace(/^\d+-/, '').replace(/\.\w+$/, '')))
      .map((file) => `${folder}/${file}`),
  );
  const modes = [...house.declared]
    .filter(([, file]) => rooms.includes(roomOf(file)!))
    .map(([mode]) => `test/support/modes/${mode}.ts`)
    .filter(exists);
  const inside = (file: string) => folders.some((folder) => file === folder || file.startsWith(`${folder}/`));
  const gone = [...house.files.filter(inside), ...named, ...modes];
  const tests = house.files.filter((file) => file.startsWith('test/') && !gone.includes(file));
  const all = [...new Set([...folders, ...named, ...modes, ...house.broken(tests, gone)])];
  return all.filter((path) => !all.some((folder) => path.startsWith(`${folder}/`)));
}

/** Code that stays must not need code that goes. */
function refuseBroken(house: House, deleted: readonly string[]): void {
  const isDeleted = (file: string) => deleted.some((path) => file === path || file.startsWith(`${path}/`));
  const broken = [...house.needs].flatMap(([file, needs]) =>
    isDeleted(file) || file === ROOMS
      ? []
      : [...needs].filter(isDeleted).map((to) => `  ${file} needs ${to}`),
  );
  if (broken.length === 0) return;
  throw new RefusedError(
    [
      'Code that stays needs code that would go. Nothing was changed.',
      ...broken,
      'Keep the room, remove it with --without, or change this code first.',
    ].join('\n'),
  );
}

function unknown(name: string, rooms: readonly string[]): never {
  const names = [...rooms.map(nameOf), ...Object.keys(PARTS), EXAMPLES].toSorted();
  throw new RefusedError(`"${name}" is unknown. Known names: ${names.join(', ')}.`);
}
