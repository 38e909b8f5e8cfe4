/**
 * The formats of access tokens. A room adds its format by
 * `declare module '../tokens/token-formats.js' { interface TokenFormats { jwt: true } }` and `defineTokenFormat('jwt')`.
 */
// oxlint-disable-next-line typescript/no-empty-object-type, typescript/no-empty-interface -- filled by declaration merging
export interface TokenFormats {}

export type TokenFormat = keyof TokenFormats;

const formats = new Set<TokenFormat>();

export function defineTokenFormat(name: TokenFormat): void {
  formats.add(name);
}

/** All formats in alphabetical order. The first one is the default. */
export function tokenFormats(): readonly [TokenFormat, ...TokenFormat[]] {
  const [first, ...others] = [...formats].toSorted();
  if (first === undefined)
    throw new Error('the room tokens needs a room with an access token format, such as jwt');
  return [first, ...others];
}
