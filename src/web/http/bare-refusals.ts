import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import type { Config } from '../../platform/config/config.js';
import {
  InternalError,
  MalformedRequestError,
  transportProblem,
} from '../../platform/problems/request-problems.js';
import { PROBLEM_JSON, problemBody } from './problem.filter.js';
import { bareHeaders } from './security.js';

/** Fastify's `frameworkErrors`: what fails before any route, such as a URL that is not well-formed. No hook runs. */
export const refuseUrl =
  (config: Config) =>
  (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = transportProblem(error) ?? new InternalError();
    void reply
      .status(problem.kind.status)
      .headers(bareHeaders(config, request.id))
      .type(PROBLEM_JSON)
      .send(problemBody(problem, request.id, request.server));
  };

/** Fastify's `clientErrorHandler`: what is no HTTP, has too many headers or never ends. There is no request, only a socket. */
export const refuseConnection = (config: Config) =>
  // Fastify binds it to itself.
  function (this: FastifyInstance, error: ConnectionError, socket: Socket): void {
    // The client is gone, or an answer is on its way already, which a second one would garble.
    if (error.code === 'ECONNRESET' || !socket.writable || answering(socket)) {
      socket.destroy();
      return;
    }
    const problem =
      transportProblem(error) ?? new MalformedRequestError('This is not HTTP as the server reads it.');
    const requestId = uuidv7();
    const { status } = problem.kind;
    const body = JSON.stringify(problemBody(problem, requestId, this));
    const headers = Object.entries({
      ...bareHeaders(config, requestId),
      'Content-Type': PROBLEM_JSON,
      'Content-Length': Buffer.byteLength(body),
      Date: new Date().toUTCString(),
      Connection: 'close',
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers.join('')}\r\n${body}`);
    socket.destroySoon();
  };

/** As Node's own handler asks it: the response under way hangs on the socket. */
const answering = (socket: Socket): boolean =>
  (socket as { _httpMessage?: { headersSent: boolean } })._httpMessage?.headersSent ?? false;
