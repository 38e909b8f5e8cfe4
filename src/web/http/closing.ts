import type { FastifyInstance } from 'fastify';
import { ShuttingDownError } from '../../platform/problems/request-problems.js';

/** Who has not got an answer by then, gets none. */
const LAST_ANSWER_MS = 10_000;

/**
 * Lets the server end as soon as the last answer is out. Node closes the connections that are idle when it stops to
 * listen; one whose request is under way just then would be kept alive for more than a minute. A request that arrives
 * on one is refused.
 */
export function closeConnections(fastify: FastifyInstance): void {
  let closing = false;
  fastify.addHook('preClose', (done) => {
    closing = true;
    setTimeout(() => fastify.server.closeAllConnections(), LAST_ANSWER_MS).unref();
    done();
  });
  // After every hook of onRequest: this answer has their headers too.
  fastify.addHook('preParsing', (_request, _reply, payload, done) => {
    done(closing ? new ShuttingDownError() : null, payload);
  });
  fastify.addHook('onSend', async (_request, reply) => {
    if (closing) void reply.header('Connection', 'close');
  });
}
