interface PersonalData {
  /** Its member of the export, such as `orders`. */
  readonly name: string;
  /** In SQL. Its one parameter is the id of the person. */
  readonly select: string;
}

const declared = new Map<string, string>();

/**
 * Declares what a room stores about a person, for the export of their data. The rows themselves are deleted with their
 * owner: a table with an owner refers to `subjects`, `users` or a table below it with ON DELETE CASCADE.
 *
 * @example
 * ```ts
 * definePersonalData('invoices', 'SELECT id, item FROM invoices WHERE owner_id = $1 ORDER BY id');
 * ```
 * @throws if the name is taken
 */
export function definePersonalData(name: string, select: string): void {
  if (declared.has(name)) throw new Error(`the personal data "${name}" is declared twice`);
  declared.set(name, select);
}

/** What the rooms that are loaded have declared, by name. */
export const allPersonalData = (): PersonalData[] =>
  [...declared].map(([name, select]) => ({ name, select })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
