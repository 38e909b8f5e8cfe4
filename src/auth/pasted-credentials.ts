import type { CredentialKind, Pasted, Place } from './credential-kinds.js';
import { withoutSpace } from './presented-credential.js';

/** The credentials that were found in a text, and the names of headers that carry no credential. */
export interface PastedText {
  readonly pasted: readonly Pasted[];
  readonly otherHeaders: readonly string[];
}

/** A header as curl takes it. Quotes around another text stay, because a client could send them. */
const CURL_HEADER = /^(?:-H|--header) *(['"]?)(.*)\1 *\\?$/;
/** The colon of a URL does not end a header name. */
const HEADER = /^([A-Za-z][A-Za-z0-9-]*):(?!\/\/)(.*)$/;

/** Reads credentials, headers and options of curl, one in each line. Cookies of a header are credentials on their own. */
export function readPasted(text: string, kinds: readonly CredentialKind[]): PastedText {
  const pasted: Pasted[] = [];
  const otherHeaders: string[] = [];
  for (const line of text.split(/\r?\n/).map(withoutSpace)) {
    if (line === '') continue;
    const bare = CURL_HEADER.exec(line)?.[2] ?? line;
    const [, name, value] = HEADER.exec(bare) ?? [];
    if (name === undefined) pasted.push(withoutHeader(bare, kinds));
    else {
      const found = inHeader(name, withoutSpace(value!), kinds);
      pasted.push(...found);
      if (found.length === 0) otherHeaders.push(name);
    }
  }
  return { pasted, otherHeaders };
}

/** Returns whether a kind declares a place. Only the names of cookies are case-sensitive. */
export const isPlaceOf = ({ places = [] }: CredentialKind, { type, name }: Place): boolean =>
  places.some(
    (place) =>
      place.type === type &&
      (place.name === name || (type !== 'cookie' && place.name.toLowerCase() === name.toLowerCase())),
  );

const isKnown = (place: Place, kinds: readonly CredentialKind[]) =>
  kinds.some((kind) => isPlaceOf(kind, place));

/** `Bearer at_…` and `__Host-session=…` are often copied without the name of their header. */
function withoutHeader(text: string, kinds: readonly CredentialKind[]): Pasted {
  const authorization = inAuthorization(text);
  if (authorization.place && isKnown(authorization.place, kinds)) return authorization;
  const [cookie] = inCookies([text], kinds);
  return cookie ?? { place: undefined, text };
}

function inHeader(name: string, value: string, kinds: readonly CredentialKind[]): Pasted[] {
  const header = name.toLowerCase();
  if (header === 'authorization') return [inAuthorization(value)];
  if (header === 'cookie') return inCookies(value.split(';'), kinds);
  // Attributes of the cookie follow its value (RFC 6265 4.1.1).
  if (header === 'set-cookie') return inCookies(value.split(';').slice(0, 1), kinds);
  const place: Place = { type: 'header', name };
  return isKnown(place, kinds) ? [{ place, text: value }] : [];
}

function inAuthorization(value: string): Pasted {
  const [, scheme, text] = /^([A-Za-z]+) +(.*)$/.exec(value) ?? [];
  return scheme === undefined
    ? { place: undefined, text: value }
    : { place: { type: 'scheme', name: scheme }, text: withoutSpace(text!) };
}

function inCookies(pairs: readonly string[], kinds: readonly CredentialKind[]): Pasted[] {
  return pairs.flatMap((pair) => {
    const [, name, text] = /^([^=]+)=(.*)$/.exec(withoutSpace(pair)) ?? [];
    if (name === undefined || !isKnown({ type: 'cookie', name }, kinds)) return [];
    return [{ place: { type: 'cookie' as const, name }, text: text! }];
  });
}
