import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parse } from 'secure-json-parse';
import { FORM_TYPE, howToSend, JSON_BODY, JSON_TYPE } from './accept-body.decorator.js';
import {
  MalformedRequestError,
  UnsupportedMediaTypeError,
} from '../../platform/problems/request-problems.js';

export const MAX_BODY_BYTES = 100_000;
export const MAX_JSON_DEPTH = 20;

const CHARSET = /;\s*charset\s*=\s*"?([^\s";]+)/i;
/** Without `fatal` every broken byte becomes the same character, and different texts become one. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The parsers of bodies: JSON that is no deeper than 20 and has no key that could reach a prototype (ASVS 15.3.6), and
 * what routes declare with `@AcceptBody()`. Before the routes are registered.
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
    // The body of a request for an unknown route is not parsed: the answer is 404 or 405 whatever it says.
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

/** RFC 8259 8.1: JSON is UTF-8; forms are too. */
export function decode(body: Buffer, contentType = ''): string {
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
