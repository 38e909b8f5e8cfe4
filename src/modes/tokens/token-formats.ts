/**
 * The formats of access tokens that this application issues. Each room that issues one adds it:
 * `declare module '../tokens/token-formats.js' { interface TokenFormats { jwt: true } }` and `defineTokenFormat('jwt')`.
 */
// oxlint-disable-next-line typescript/no-empty-object-type, typescript/no-empty-interface -- filled by declaration merging
export interface TokenFormats {}

export type TokenFormat = keyof TokenFormats;

const formats = new Set<TokenFormat>();

export function defineTokenFormat(name: TokenFormat): void {
  formats.add(name);
}

/** In alphabetical order. The first is the one of a sign-in that does not say. */
export function tokenFormats(): readonly [TokenFormat, ...TokenFormat[]] {
  const [first, ...others] = [...formats].toSorted();
  if (first === undefined) throw new Error('the room tokens needs a format of access tokens, such as jwt');
  return [first, ...others];
}
