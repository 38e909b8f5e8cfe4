/** Longer names are cut, so that a line of a mail has at most 76 characters. */
const SHOWN_NAME = 40;
/** Invisible characters, line breaks and characters that change the text direction. */
const UNSEEN = /[\p{C}\p{Z}]+/gu;

interface NamedKey {
  readonly prefix: string;
  readonly last4: string;
  readonly name: string;
}

/** Describes a key for a mail, always in one line. */
export function describeKey({ prefix, last4, name }: NamedKey): string {
  const shown = Array.from(name.replaceAll(UNSEEN, ' ').trim()).slice(0, SHOWN_NAME).join('');
  return `${prefix}...${last4} "${shown}"`;
}
