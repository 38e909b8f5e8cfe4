import type { FastifyInstance } from 'fastify';
import { contextOf } from '../../platform/logging/request-context.js';

/**
 * Adds `Server-Timing` to the answers of guarded routes: the time in the server, and the number of statements. On a public
 * route, both would show whether an address has an account. Production sends neither.
 */
export function reportTiming(fastify: FastifyInstance): void {
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    const policy = request.routeOptions.config.declared?.route?.policy;
    if (!policy || policy.public) return done();
    const queries = contextOf(request)?.queries ?? 0;
    void reply.header(
      'Server-Timing',
      `total;dur=${reply.elapsedTime.toFixed(1)}, queries;desc="${queries}"`,
    );
    return done();
  });
}
