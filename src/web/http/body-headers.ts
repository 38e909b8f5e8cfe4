import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { FastifyInstance, RequestPayload } from 'fastify';
import { UnsupportedEncodingError } from '../../platform/problems/request-problems.js';

/** What a request says of its body. */
const OF_BODY = ['content-type', 'content-encoding', 'content-length', 'transfer-encoding'] as const;

/**
 * A request without body bytes has no body, whatever its headers say of one: `fetch` and others send a Content-Type all
 * the same. A body that is encoded is refused, since no parser decodes it (RFC 9110 8.4).
 */
export function readBodyHeaders(fastify: FastifyInstance): void {
  fastify.addHook('preParsing', (request, _reply, payload, done) => {
    const { headers } = request;
    const read = (bytes: boolean) => {
      if (!bytes) for (const name of OF_BODY) delete headers[name];
      done(!request.is404 && isEncoded(headers) ? new UnsupportedEncodingError() : null, payload);
    };
    if (headers['transfer-encoding'] === undefined) read(Number(headers['content-length'] ?? 0) > 0);
    else whenKnown(request.raw, payload, read);
  });
}

const isEncoded = ({ 'content-encoding': encoding = 'identity' }: IncomingHttpHeaders): boolean =>
  encoding.toLowerCase() !== 'identity';

/** `close` is for a client that hangs up. */
const EVENTS = ['readable', 'end', 'close'] as const;

/**
 * The length of a chunked body is not known in advance: its first chunk decides, or its end. A request that has arrived
 * completely without a byte emits no event any more.
 */
function whenKnown(message: IncomingMessage, payload: RequestPayload, then: (bytes: boolean) => void): void {
  const known = () => {
    for (const event of EVENTS) payload.off(event, known);
    then(payload.readableLength > 0);
  };
  if (payload.readableLength > 0 || message.complete || payload.destroyed) known();
  else for (const event of EVENTS) payload.on(event, known);
}
