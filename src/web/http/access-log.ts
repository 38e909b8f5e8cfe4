import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { contextOf, type RequestContext, runInRequest } from '../../platform/logging/request-context.js';

/** Gives every request its context, and logs every answer. The entry has the route, because a URL can contain secrets. */
export function logAccess(fastify: FastifyInstance, logger: Logger): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const context: RequestContext = {
      requestId: request.id,
      ip: request.ip,
      userAgent: request.headers['user-agent'],
      cookie: request.headers.cookie,
      connection: request.raw.socket,
    };
    runInRequest(request, context, done);
  });
  fastify.addHook('onResponse', async (request, reply) => {
    logger.info(
      {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url ?? null,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        ip: request.ip,
        ...contextOf(request)?.facts,
      },
      'request',
    );
  });
}
