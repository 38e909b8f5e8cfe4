import { performance } from 'node:perf_hooks';
import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { newRequestId } from '../../platform/crypto/request-id.js';
import { defineCounter, type Instruments } from '../../platform/instruments/instruments.js';
import { OverloadedError } from './http.errors.js';
import { PROBLEM_JSON, problemBody } from './problem.filter.js';

/** So many requests of a turn are always answered, so that a pause of the machine refuses nothing. */
const ALWAYS = 500;
const LONGEST_TURN_MS = 250;
const REPORT_INTERVAL_MS = 1_000;

/** The event of the HTTP server for each refused request. */
const REFUSED = 'overload';

/**
 * Finds requests that come too late in a turn of the event loop. A turn reads all requests that have arrived, so it grows
 * with the load.
 */
export class TurnLimit {
  #taken = 0;
  #since = 0;

  /** Counts a request. Returns whether to refuse it. */
  isOver(): boolean {
    if (this.#taken === 0) {
      this.#since = performance.now();
      setImmediate(() => (this.#taken = 0));
    }
    this.#taken += 1;
    return this.#taken > ALWAYS && performance.now() - this.#since > LONGEST_TURN_MS;
  }
}

/** Answers with 503, before routing and without the hooks. */
export function refuseOverload(fastify: FastifyInstance, response: ServerResponse): void {
  const problem = new OverloadedError();
  const requestId = newRequestId();
  const body = JSON.stringify(problemBody(problem, requestId, fastify));
  response.writeHead(problem.kind.status, {
    'content-type': PROBLEM_JSON,
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    ...problem.headers,
  });
  response.end(body);
  fastify.server.emit(REFUSED);
}

const OVERLOADED = defineCounter(
  'http_requests_overloaded_total',
  'Requests that got 503 (overloaded) before routing; no other metric of requests counts them',
);

/** Counts refused requests. Logs their number, at most once a second: they have no lines of their own. */
export function reportOverload(fastify: FastifyInstance, logger: Logger, instruments: Instruments): void {
  let requests = 0;
  let total = 0;
  instruments.add(OVERLOADED, () => total);
  fastify.server.on(REFUSED, () => {
    if (requests === 0)
      setTimeout(() => {
        logger.warn({ requests }, 'requests were refused, because the server is overloaded');
        requests = 0;
      }, REPORT_INTERVAL_MS).unref();
    requests += 1;
    total += 1;
  });
}
