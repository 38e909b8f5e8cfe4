import type { FastifyInstance } from 'fastify';

/** Who has not got an answer by then, gets none. */
const LAST_ANSWER_MS = 10_000;

/**
 * Lets the server end as soon as the last answer is out. Node closes the connections that are idle when it stops to
 * listen; one whose request is under way just then would be kept alive for more than a minute.
 */
export function closeConnections(fastify: FastifyInstance): void {
  let closing = false;
  fastify.addHook('preClose', (done) => {
    closing = true;
    setTimeout(() => fastify.server.closeAllConnections(), LAST_ANSWER_MS).unref();
    done();
  });
  fastify.addHook('onSend', async (_request, reply) => {
    if (closing) void reply.header('Connection', 'close');
  });
}
