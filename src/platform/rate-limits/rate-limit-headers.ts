import type { FastifyInstance } from 'fastify';
import { contextOf, requestContext } from '../logging/request-context.js';

declare module '../logging/request-context.js' {
  interface RequestContext {
    /** RateLimit headers for the answer. */
    rateLimitHeaders?: Record<string, string>;
  }
}

interface Told {
  readonly quota: number;
  readonly windowSeconds: number;
  readonly remaining: number;
  /** Until the window ends, or until the next attempt. */
  readonly seconds: number;
}

/** Adds a limit to the headers of the answer (draft-ietf-httpapi-ratelimit-headers). */
export function tellRateLimit(policy: string, { quota, windowSeconds, remaining, seconds }: Told): void {
  const context = requestContext();
  if (!context) return;
  const headers = (context.rateLimitHeaders ??= {});
  // Lists, because a request can count for two policies.
  const list = (name: string, item: string) =>
    (headers[name] = headers[name] ? `${headers[name]}, ${item}` : item);
  list('RateLimit-Policy', `"${policy}";q=${quota};w=${windowSeconds}`);
  list('RateLimit', `"${policy}";r=${Math.max(0, remaining)};t=${seconds}`);
}

/** Sends the headers of `tellRateLimit` with each answer. */
export function sendRateLimitHeaders(fastify: FastifyInstance): void {
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    const headers = contextOf(request)?.rateLimitHeaders;
    if (headers) void reply.headers(headers);
    done();
  });
}
