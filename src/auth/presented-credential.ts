import type { FastifyRequest } from 'fastify';

const EXPLICIT_HEADERS = new Set(['authorization', 'x-api-key']);

/** The credential headers as they came over the wire. Node keeps one Authorization of two, and joins other headers. */
export function countExplicitHeaders(request: FastifyRequest): number {
  let count = 0;
  const { rawHeaders } = request.raw;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (EXPLICIT_HEADERS.has(rawHeaders[i]!.toLowerCase())) count += 1;
  return count;
}

/** The scheme of the Authorization header in lower case, `''` for one without, undefined where there is no header. */
export function authorizationScheme(request: FastifyRequest): string | undefined {
  const { authorization } = request.headers;
  return authorization === undefined ? undefined : /^[^ ]*/.exec(authorization.trim())![0].toLowerCase();
}

/** All values of a cookie in the order of the Cookie header. Two of one name are not a choice to make: RFC 6265 5.4. */
export function cookieValues(request: FastifyRequest, name: string): string[] {
  const header = request.headers.cookie;
  if (header === undefined) return [];
  const start = `${name}=`;
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(start))
    .map((pair) => pair.slice(start.length));
}
