import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parse } from 'secure-json-parse';
import { FORM_TYPE, howToSend, JSON_BODY, JSON_TYPE } from './accept-body.decorator.js';
import { MalformedRequestError, UnsupportedMediaTypeError } from './http.errors.js';

export const MAX_BODY_BYTES = 100_000;
export const MAX_JSON_DEPTH = 20;

const CHARSET = /;\s*charset\s*=\s*"?([^\s";]+)/i;
/** `fatal`: otherwise each invalid byte becomes the same character, and different texts become equal. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Installs the body parsers: JSON with limited depth and without keys that reach a prototype (ASVS 15.3.6), and the types
 * of `@AcceptBody()`. Call it before routes are registered.
 */
export function parseBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  for (const type of [JSON_TYPE, FORM_TYPE]) addParser(fastify, type);
  fastify.addHook('onRoute', (options) => {
    const body = options.config?.body;
    if (body?.limit !== undefined) options.bodyLimit = body.limit;
    for (const type of body?.types ?? []) if (!fastify.hasContentTypeParser(type)) addParser(fastify, type);
  });
}

function addParser(fastify: FastifyInstance, type: string): void {
  fastify.addContentTypeParser(type, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    // The answer is 404 or 405 for any body.
    if (request.is404) return done(null);
    try {
      done(null, read(request, type, body));
    } catch (error) {
      done(error as Error);
    }
  });
}

function read({ routeOptions, headers }: FastifyRequest, type: string, body: Buffer): unknown {
  const { body: accepted = JSON_BODY } = routeOptions.config;
  if (!accepted.types.includes(type)) throw new UnsupportedMediaTypeError(howToSend(accepted));
  if (accepted.as === 'bytes') return body;
  const text = decode(body, headers['content-type']);
  return accepted.as === 'json' ? parseJson(text) : parseForm(text);
}

/** JSON (RFC 8259 8.1) and forms must be UTF-8. */
export function decode(body: Buffer, contentType = ''): string {
  const charset = CHARSET.exec(contentType)?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new UnsupportedMediaTypeError('Send the body in UTF-8.');
  try {
    return utf8.decode(body);
  } catch {
    throw new MalformedRequestError('The body must be UTF-8.');
  }
}

/** URLSearchParams would turn every invalid escape into the same character. @throws MalformedRequestError */
function parseForm(body: string): URLSearchParams {
  try {
    decodeURIComponent(body);
  } catch {
    throw new MalformedRequestError('The percent-escapes of the form must be UTF-8.');
  }
  return new URLSearchParams(body);
}

/** @throws MalformedRequestError */
export function parseJson(body: string): unknown {
  // Before parsing, because the parser is recursive.
  if (isDeeperThan(body, MAX_JSON_DEPTH))
    throw new MalformedRequestError(`The JSON must not be nested deeper than ${MAX_JSON_DEPTH} levels.`);
  try {
    return parse(body, { protoAction: 'error', constructorAction: 'error' });
  } catch {
    throw new MalformedRequestError(
      'The body must be valid JSON without the keys __proto__ and constructor.prototype.',
    );
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
