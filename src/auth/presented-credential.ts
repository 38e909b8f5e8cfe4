import type { FastifyRequest } from 'fastify';

/** How many headers came over the wire by these names, in lower case. Node keeps one Authorization of two, and joins other headers. */
export function countHeaders(request: FastifyRequest, names: ReadonlySet<string>): number {
  let count = 0;
  const { rawHeaders } = request.raw;
  for (let i = 0; i < rawHeaders.length; i += 2) if (names.has(rawHeaders[i]!.toLowerCase())) count += 1;
  return count;
}

/** The scheme of the Authorization header in lower case, `''` for one without, undefined where there is no header. */
export function authorizationScheme(request: FastifyRequest): string | undefined {
  const { authorization } = request.headers;
  return authorization === undefined ? undefined : /^[^ ]*/.exec(authorization)![0].toLowerCase();
}

/** The one token behind the scheme, after one or more spaces (RFC 9110 11.4); undefined for none, and for several. */
export const authorizationToken = ({ headers: { authorization = '' } }: FastifyRequest): string | undefined =>
  /^[^ ]+ +([^\s,]+)$/.exec(authorization)?.[1];

/** All values of a cookie in the order of the Cookie header. Two of one name are not a choice to make: RFC 6265 5.4. */
export function cookieValues(request: FastifyRequest, name: string): string[] {
  const header = request.headers.cookie;
  if (header === undefined) return [];
  const start = `${name}=`;
  return header
    .split(';')
    .map(withoutSpace)
    .filter((pair) => pair.startsWith(start))
    .map((pair) => pair.slice(start.length));
}

/** Without the white space of HTTP, SP and HTAB, at its ends. `trim()` also removes byte 0xA0, and a cookie prefix with it. */
export function withoutSpace(text: string): string {
  let [start, end] = [0, text.length];
  while (isSpace(text[start])) start += 1;
  while (end > start && isSpace(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

const isSpace = (character: string | undefined): boolean => character === ' ' || character === '\t';
