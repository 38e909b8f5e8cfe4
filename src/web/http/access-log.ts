import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Principal } from '../../auth/principal.js';
import { type RequestContext, runInRequest } from '../../platform/logging/request-context.js';

/** The end of a request comes from its socket, where no asynchronous context leads to. */
const contexts = new WeakMap<FastifyRequest, RequestContext>();

/** The context of a request, also at its end. */
export const contextOf = (request: FastifyRequest): RequestContext | undefined => contexts.get(request);

/** Gives every request its context, and every answer one line in the log. The route, not the URL: URLs may hold anything. */
export function logAccess(fastify: FastifyInstance, logger: Logger): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const context: RequestContext = {
      requestId: request.id,
      ip: request.ip,
      userAgent: request.headers['user-agent'],
      connection: request.raw.socket,
      answerHeaders: {},
    };
    contexts.set(request, context);
    runInRequest(context, done);
  });
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    void reply.headers(contextOf(request)?.answerHeaders ?? {});
    done();
  });
  fastify.addHook('onResponse', async (request, reply) => {
    const { user } = request as { user?: unknown };
    logger.info(
      {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url ?? null,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        ip: request.ip,
        ...(user instanceof Principal && user.facts),
      },
      'request',
    );
  });
}
