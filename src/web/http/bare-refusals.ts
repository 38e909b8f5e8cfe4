import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import type { Config } from '../../platform/config/config.js';
import { transportProblem } from './framework-errors.js';
import { InternalError, MalformedRequestError } from './http.errors.js';
import { PROBLEM_JSON, problemBody } from './problem.filter.js';
import { secureHeaders } from './security.js';

/** Fastify's `frameworkErrors`: refuses a request before routing, such as one with a malformed URL. No hook runs. */
export function refuseUrl(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = transportProblem(error) ?? new InternalError();
  void reply
    .status(problem.kind.status)
    .header('X-Request-Id', request.id)
    .type(PROBLEM_JSON)
    .send(problemBody(problem, request.id, request.server));
}

/** Fastify's `clientErrorHandler`: invalid HTTP, too large headers, or a timeout. There is no request, only a socket. */
export const refuseConnection = (config: Config) =>
  // Fastify passes itself as `this`.
  function (this: FastifyInstance, error: ConnectionError, socket: Socket): void {
    // The client is gone, or a second answer would corrupt the one that is being sent.
    if (error.code === 'ECONNRESET' || !socket.writable || answering(socket)) {
      socket.destroy();
      return;
    }
    const problem = transportProblem(error) ?? new MalformedRequestError('The request must be valid HTTP.');
    const requestId = uuidv7();
    const { status } = problem.kind;
    const body = JSON.stringify(problemBody(problem, requestId, this));
    const headers = Object.entries({
      ...secureHeaders(config),
      'X-Request-Id': requestId,
      'Content-Type': PROBLEM_JSON,
      'Content-Length': Buffer.byteLength(body),
      Date: new Date().toUTCString(),
      Connection: 'close',
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers.join('')}\r\n${body}`);
    socket.destroySoon();
  };

/** The same check as in Node's default handler: the current response is a property of the socket. */
const answering = (socket: Socket): boolean =>
  (socket as { _httpMessage?: { headersSent: boolean } })._httpMessage?.headersSent ?? false;
