import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { FastifyInstance, RequestPayload } from 'fastify';
import { UnsupportedEncodingError } from './http.errors.js';

/** Headers that describe a body. */
const OF_BODY = ['content-type', 'content-encoding', 'content-length', 'transfer-encoding'] as const;

/**
 * Treats a request without body bytes as one without a body, although clients such as `fetch` send a Content-Type with
 * it. Refuses an encoded body, because no parser decodes it (RFC 9110 8.4).
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

/** `close` means that the client closed the connection. */
const EVENTS = ['readable', 'end', 'close'] as const;

/**
 * A chunked body has no length in advance, so its first chunk or its end decides. A request that is already complete
 * emits no further event.
 */
function whenKnown(message: IncomingMessage, payload: RequestPayload, then: (bytes: boolean) => void): void {
  const known = () => {
    for (const event of EVENTS) payload.off(event, known);
    then(payload.readableLength > 0);
  };
  if (payload.readableLength > 0 || message.complete || payload.destroyed) known();
  else for (const event of EVENTS) payload.on(event, known);
}
