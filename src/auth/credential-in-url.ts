import type { FastifyInstance } from 'fastify';
import { CredentialInUrlError } from './auth.errors.js';

const NEVER_IN_URL = new Set(['access_token', 'api_key', 'apikey', 'token', 'session']);

/** Refuses a request with a credential in its URL, on every route (ASVS 14.2.1). */
export function refuseCredentialInUrl(fastify: FastifyInstance): void {
  // After all onRequest hooks, so that a refusal has the RateLimit headers too.
  fastify.addHook('preParsing', (request, _reply, payload, done) => {
    const names = Object.keys(request.query as object);
    const name = names.find((one) => NEVER_IN_URL.has(one.toLowerCase()));
    done(name === undefined ? null : new CredentialInUrlError(name), payload);
  });
}
