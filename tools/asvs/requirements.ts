import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Requirement {
  /** Such as `V7.2.4`, as it stands in brackets in the names of tests. */
  readonly id: string;
  readonly level: string;
  readonly text: string;
  readonly applies: boolean;
  /** Pages with their headings, where no test can show it. */
  readonly places: readonly string[];
  /** A deviation, or why the requirement does not apply. */
  readonly note: string;
}

/** Reads a table of this folder. */
export function requirementsOf(table: string): Requirement[] {
  const [, ...lines] = readFileSync(join(import.meta.dirname, table), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => {
    const [id = '', level = '', text = '', applies, places = '', note = ''] = line.split('\t');
    return { id, level, text, applies: applies === 'yes', places: places.split(' ').filter(Boolean), note };
  });
}
