import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { Principal } from '../auth/principal.js';
import { runInRequest } from '../logging/request-context.js';

/** Gives every request its context, and every answer one line in the log. The route, not the URL: URLs may hold anything. */
export function logAccess(fastify: FastifyInstance, logger: Logger): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    runInRequest({ requestId: request.id, ip: request.ip, userAgent: request.headers['user-agent'] }, done);
  });
  fastify.addHook('onResponse', async (request, reply) => {
    const { user } = request as { user?: unknown };
    const who =
      user instanceof Principal
        ? { mode: user.mode, userId: user.userId, credentialId: user.credentialId }
        : {};
    logger.info(
      {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url ?? null,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        ip: request.ip,
        ...who,
      },
      'request',
    );
  });
}
