import type { FastifyInstance } from 'fastify';
import { ShuttingDownError } from './http.errors.js';

/** After this time, open connections are closed without an answer. */
const LAST_ANSWER_MS = 10_000;

/**
 * Closes each connection after its last answer. Node closes only connections that are idle when it stops listening, and
 * would keep the others alive for more than a minute. New requests on them are refused.
 */
export function closeConnections(fastify: FastifyInstance): void {
  let closing = false;
  fastify.addHook('preClose', (done) => {
    closing = true;
    setTimeout(() => fastify.server.closeAllConnections(), LAST_ANSWER_MS).unref();
    done();
  });
  // After all onRequest hooks, so that this answer has their headers too.
  fastify.addHook('preParsing', (_request, _reply, payload, done) => {
    done(closing ? new ShuttingDownError() : null, payload);
  });
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing) void reply.header('Connection', 'close');
    done();
  });
}
