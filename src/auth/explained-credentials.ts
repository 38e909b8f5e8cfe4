import {
  type CredentialKind,
  credentialKinds,
  type Fact,
  type Finding,
  type Inspection,
  type Pasted,
  type Place,
} from './credential-kinds.js';
import { isPlaceOf } from './pasted-credentials.js';

const LOOK_UP = 'whether the server knows it, and whether it has expired or is revoked';
/** Control, format and other invisible characters could change what a terminal shows. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
const SHOWN_LENGTH = 300;

/** A scheme that no kind has can be the start of a secret. */
function nameOfPlace(place: Place): string {
  const { type, name } = place;
  if (!credentialKinds().some((kind) => isPlaceOf(kind, place))) return 'Authorization with another scheme';
  return { header: `the header ${name}`, scheme: `Authorization: ${name}`, cookie: `the cookie ${name}` }[
    type
  ];
}

/** Explains one credential as a title and a table. */
export async function explain(pasted: Pasted, inspection: Inspection): Promise<string> {
  const { place, text } = pasted;
  const all = credentialKinds();
  const recognised = all.filter((kind) => kind.recognises(text));
  const accepted = place ? recognised.filter((kind) => isPlaceOf(kind, place)) : recognised;
  if (accepted.length > 0) return explainKinds(accepted, pasted, inspection, []);
  const misplaced = place ? [`not accepted in ${nameOfPlace(place)}`] : [];
  if (recognised.length > 0) return explainKinds(recognised, pasted, inspection, misplaced);
  const expected = place ? all.filter((kind) => isPlaceOf(kind, place)) : [];
  if (expected.length === 1) return explainKinds(expected, pasted, inspection, []);
  return explainUnknown(pasted, expected);
}

/** Kinds of the same form have the same finding, so they share a table. */
async function explainKinds(
  kinds: readonly CredentialKind[],
  { place, text }: Pasted,
  inspection: Inspection,
  misplaced: readonly string[],
): Promise<string> {
  const tables = new Map<string, string[]>();
  for (const kind of kinds) {
    const finding = await kind.examine(text, inspection);
    const table = tableOf([...factsOf(text, finding, misplaced)]);
    tables.set(table, [...(tables.get(table) ?? []), kind.name]);
  }
  const where = place ? `, in ${nameOfPlace(place)}` : '';
  return [...tables].map(([table, names]) => `${names.join(' or ')}${where}\n${table}`).join('\n\n');
}

function* factsOf(
  text: string,
  { prefix, faults, facts = [], unchecked = LOOK_UP }: Finding,
  misplaced: readonly string[],
): Generator<Fact> {
  if (prefix) yield ['prefix', prefix];
  yield ['length', `${text.length} characters`];
  const refused = [...misplaced, ...faults];
  if (refused.length === 0) yield ['form', 'accepted'];
  for (const fault of refused) yield ['refused', fault];
  yield* facts;
  if (refused.length > 0) yield* habits(text);
  yield ['not checked', unchecked];
}

function explainUnknown({ place, text }: Pasted, expected: readonly CredentialKind[]): string {
  const facts: Fact[] = [['length', `${text.length} characters`]];
  if (place)
    facts.push(['expected', expected.map(({ name }) => name).join(' or ') || 'no credential in this place']);
  facts.push(...habits(text));
  return `Unknown: no kind of credential of this server${place ? `, in ${nameOfPlace(place)}` : ''}\n${tableOf(facts)}`;
}

const HABITS: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'the value is empty'],
  [/^(['"]).*\1$/, 'a client sends the quotes around it too'],
  [/^\$|^<|^\{\{/, 'it looks like the name of a variable without its value'],
  [/[ \t]/, 'it contains white space'],
  [/[^\x20-\x7e]/, 'it contains characters other than ASCII'],
  [/…|\.\.\./, 'it was shortened'],
];

/** Mistakes of copying. They name no part of the text. */
const habits = (text: string): Fact[] =>
  HABITS.filter(([pattern]) => pattern.test(text)).map(([, note]) => ['note', note]);

function tableOf(facts: readonly Fact[]): string {
  const width = Math.max(...facts.map(([label]) => label.length));
  return facts.map(([label, value]) => `  ${printable(label).padEnd(width)}  ${printable(value)}`).join('\n');
}

/** A JWT of a stranger can have any text in its claims. */
function printable(text: string): string {
  const shown =
    text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)} … (${text.length} characters)` : text;
  return shown.replaceAll(UNSEEN, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
