import type { FastifyInstance } from 'fastify';
import { outsideRequests } from '../../platform/logging/request-context.js';

/**
 * Sends all answers of one turn of the event loop together, after it has read all requests. On two cores with 32
 * connections, this gives 1.3 to 1.9 times the requests per second. With one connection there is no difference.
 */
export function sendTogether(fastify: FastifyInstance): void {
  let waiting: (() => void)[] = [];
  const sendAll = () => {
    const answers = waiting;
    waiting = [];
    for (const send of answers) send();
  };
  fastify.addHook('onSend', (_request, _reply, payload, done) => {
    if (waiting.length === 0) outsideRequests(() => setImmediate(sendAll));
    waiting.push(() => done(null, payload));
  });
}
