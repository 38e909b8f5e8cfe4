import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parse } from 'secure-json-parse';
import { MalformedRequestError, UnsupportedMediaTypeError } from '../problems/request-problems.js';

export const MAX_BODY_BYTES = 100_000;
export const MAX_JSON_DEPTH = 20;

const FORM = 'application/x-www-form-urlencoded';
const CHARSET = /;\s*charset\s*=\s*"?([^\s";]+)/i;
/** Without `fatal` every broken byte becomes the same character, and different texts become one. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** OAuth's endpoints take forms (RFC 6749 3.2), and nothing else does. */
const takesForms = (request: FastifyRequest) => request.routeOptions.url?.startsWith('/oauth/') ?? false;

/**
 * The parsers of bodies: JSON that is no deeper than 20 and has no key that could reach a prototype (ASVS 15.3.6).
 * An empty body is none. Forms arrive as URLSearchParams, in which a field can be told from the same one sent twice.
 */
export function parseJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    // What comes for a route that is not there is not read: the answer is 404 or 405 whatever it says.
    if (request.is404) return done(null);
    try {
      if (takesForms(request))
        throw new UnsupportedMediaTypeError('Send a form: application/x-www-form-urlencoded.');
      done(null, body.length === 0 ? undefined : parseJson(decode(body, request.headers['content-type'])));
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addContentTypeParser(FORM, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (request.is404) return done(null);
    try {
      if (!takesForms(request))
        throw new UnsupportedMediaTypeError('Send JSON, with Content-Type: application/json.');
      done(null, parseForm(decode(body, request.headers['content-type'])));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** RFC 8259 8.1: JSON is UTF-8; forms are too. */
function decode(body: Buffer, contentType = ''): string {
  const charset = CHARSET.exec(contentType)?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new UnsupportedMediaTypeError('Send the body in UTF-8.');
  try {
    return utf8.decode(body);
  } catch {
    throw new MalformedRequestError('The body is not UTF-8.');
  }
}

/** URLSearchParams would make one character of every broken escape. @throws MalformedRequestError */
function parseForm(body: string): URLSearchParams {
  try {
    decodeURIComponent(body);
  } catch {
    throw new MalformedRequestError('The form has an escape that is not UTF-8.');
  }
  return new URLSearchParams(body);
}

/** @throws MalformedRequestError */
export function parseJson(body: string): unknown {
  // Before parsing, so that a deep body costs no recursion.
  if (isDeeperThan(body, MAX_JSON_DEPTH))
    throw new MalformedRequestError(`The JSON is nested deeper than ${MAX_JSON_DEPTH}.`);
  try {
    return parse(body, { protoAction: 'error', constructorAction: 'error' });
  } catch {
    throw new MalformedRequestError('The body is no JSON that this server accepts.');
  }
}

function isDeeperThan(json: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i += 1) {
    const character = json[i];
    if (inString) {
      if (character === '\\') i += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > limit) return true;
  }
  return false;
}
