import type { FastifyInstance } from 'fastify';
import { CredentialInUrlError } from './auth.errors.js';

const NEVER_IN_URL = new Set(['access_token', 'api_key', 'apikey', 'token', 'session']);

/** Refuses a request with a credential in its URL, on every route (ASVS 14.2.1). */
export function refuseCredentialInUrl(fastify: FastifyInstance): void {
  // After all onRequest hooks, so that a refusal has the RateLimit headers too.
  fastify.addHook('preParsing', async (request) => {
    for (const name of Object.keys(request.query as object))
      if (NEVER_IN_URL.has(name.toLowerCase())) throw new CredentialInUrlError(name);
  });
}
