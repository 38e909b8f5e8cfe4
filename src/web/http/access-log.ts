import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { outputOf } from '../../platform/logging/logger.js';
import { contextOf, type RequestContext, runInRequest } from '../../platform/logging/request-context.js';

/** Gives every request its id and its context, and logs every answer. */
export function logAccess(fastify: FastifyInstance, logger: Logger): void {
  const output = outputOf(logger);
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('X-Request-Id', request.id);
    const { headers, socket } = request.raw;
    const context: RequestContext = {
      requestId: request.id,
      ip: request.ip,
      userAgent: headers['user-agent'],
      cookie: headers.cookie,
      connection: socket,
    };
    runInRequest(request, context, done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    if (logger.isLevelEnabled('info')) output.write(lineOf(request, reply));
    done();
  });
}

/**
 * The line has these fields and no others, so it needs no redaction, which took a third of the time of a small request. It
 * has the route, because a URL can contain secrets.
 */
function lineOf(request: FastifyRequest, reply: FastifyReply): string {
  const { ip, facts } = contextOf(request) ?? {};
  const line = JSON.stringify({
    level: 'info',
    time: new Date().toISOString(),
    requestId: request.id,
    method: request.method,
    route: request.routeOptions.url ?? null,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    ip,
    mode: facts?.mode,
    userId: facts?.userId,
    serviceAccountId: facts?.serviceAccountId,
    credentialId: facts?.credentialId,
    keyId: facts?.keyId,
    msg: 'request',
  });
  return `${line}\n`;
}
