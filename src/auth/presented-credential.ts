import type { FastifyRequest } from 'fastify';

/** Counts raw headers, by names in lower case: Node drops the second of two Authorization headers, and joins others. */
export function countHeaders(request: FastifyRequest, names: ReadonlySet<string>): number {
  let count = 0;
  const { rawHeaders } = request.raw;
  for (let i = 0; i < rawHeaders.length; i += 2) if (names.has(rawHeaders[i]!.toLowerCase())) count += 1;
  return count;
}

/** The scheme of the Authorization header in lower case. `''` if it has none, undefined without the header. */
export function authorizationScheme(request: FastifyRequest): string | undefined {
  const { authorization } = request.headers;
  return authorization === undefined ? undefined : /^[^ ]*/.exec(authorization)![0].toLowerCase();
}

/** The token after the scheme and one or more spaces (RFC 9110 11.4). Undefined unless there is exactly one. */
export const authorizationToken = ({ headers: { authorization = '' } }: FastifyRequest): string | undefined =>
  /^[^ ]+ +([^\s,]+)$/.exec(authorization)?.[1];

/** All values of a cookie, since a client can send two with the same name (RFC 6265 5.4). */
export function cookieValues(
  { headers: { cookie: header } }: { readonly headers: { readonly cookie?: string | undefined } },
  name: string,
): string[] {
  if (header === undefined) return [];
  const start = `${name}=`;
  return header
    .split(';')
    .map(withoutSpace)
    .filter((pair) => pair.startsWith(start))
    .map((pair) => pair.slice(start.length));
}

/** Removes HTTP whitespace (SP, HTAB) at both ends. `trim()` also removes byte 0xA0, which bypasses cookie prefixes. */
export function withoutSpace(text: string): string {
  let [start, end] = [0, text.length];
  while (isSpace(text[start])) start += 1;
  while (end > start && isSpace(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

const isSpace = (character: string | undefined): boolean => character === ' ' || character === '\t';
