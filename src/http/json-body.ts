import type { FastifyInstance } from 'fastify';
import { parse } from 'secure-json-parse';
import { MalformedRequestError } from '../problems/request-problems.js';

export const MAX_BODY_BYTES = 100_000;
export const MAX_JSON_DEPTH = 20;

/**
 * The only parser of bodies: JSON that is no deeper than 20 and has no key that could reach a prototype (ASVS 15.3.6).
 * An empty body is none.
 */
export function parseJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body: string, done) => {
    try {
      done(null, body === '' ? undefined : parseJson(body));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** @throws MalformedRequestError */
export function parseJson(body: string): unknown {
  // Before parsing, so that a deep body costs no recursion.
  if (isDeeperThan(body, MAX_JSON_DEPTH)) throw new MalformedRequestError(`The JSON is nested deeper than ${MAX_JSON_DEPTH}.`);
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
