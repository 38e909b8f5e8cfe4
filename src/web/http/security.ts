import { type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import cors, { type FastifyCorsOptionsDelegate } from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import type { ModeRegistry } from '../../auth/mode-registry.js';
import type { Config } from '../../platform/config/config.js';

const YEAR_SECONDS = 31_536_000;

const pageCsp = (styles: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${styles}`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** HTML pages can load only files of this server. */
const PAGE_CSP = pageCsp("'self'");

/** The policy of a page whose library writes inline styles. */
export const INLINE_STYLES_CSP = pageCsp("'self' 'unsafe-inline'");

const CORS = {
  credentials: true,
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  exposedHeaders: [
    'Location',
    'RateLimit',
    'RateLimit-Policy',
    'Retry-After',
    'WWW-Authenticate',
    'X-Request-Id',
  ],
  maxAge: 600,
  // Every OPTIONS request gets the answer of a preflight, because the plugin's refusal is plain text.
  strictPreflight: false,
};

/**
 * The security headers of every answer (ASVS 3.4). They are the defaults of helmet, with stricter CSP and framing. Names are
 * in lower case, as those of Fastify.
 */
export const secureHeaders = ({ production }: Config): Record<string, string> => ({
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
  ...(production && { 'strict-transport-security': `max-age=${YEAR_SECONDS}; includeSubDomains` }),
  // Unless the handler sets another value, because an answer can be personal (ASVS 14.3.2).
  'cache-control': 'no-store',
});

/**
 * The answers of a server that sends security headers. They are added in one step when the answer starts, which takes less
 * than a hook that sets each. A header that the handler has set stays.
 */
export function secureResponse(config: Config): typeof ServerResponse {
  const ofAll = Object.entries(secureHeaders(config));
  const ofPages = Object.entries({ ...secureHeaders(config), 'content-security-policy': PAGE_CSP });
  const headersFor = (type: unknown) =>
    typeof type === 'string' && type.startsWith('text/html') ? ofPages : ofAll;

  class SecureResponse extends ServerResponse {
    override writeHead(status: number, ...rest: never[]): this {
      const [given] = rest as unknown[];
      // Fastify passes all its headers here. Only Node itself and streams set them before.
      if (isHeaders(given) && this.getHeaderNames().length === 0) {
        const pairs: OutgoingHttpHeader[] = [];
        for (const name in given) pairs.push(name, given[name]!);
        for (const [name, value] of headersFor(given['content-type']))
          if (given[name] === undefined) pairs.push(name, value);
        return super.writeHead(status, pairs);
      }
      for (const [name, value] of headersFor(this.getHeader('content-type')))
        if (!this.hasHeader(name)) this.setHeader(name, value);
      return super.writeHead(status, ...rest);
    }
  }
  return SecureResponse as typeof ServerResponse;
}

const isHeaders = (value: unknown): value is OutgoingHttpHeaders =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Allows CORS for CORS_ORIGINS. */
export async function allowCors(
  fastify: FastifyInstance,
  { CORS_ORIGINS }: Config,
  modes: ModeRegistry,
): Promise<void> {
  if (CORS_ORIGINS.length > 0) await fastify.register(cors, { delegator: corsFor(CORS_ORIGINS, modes) });
}

/** An origin that is not in CORS_ORIGINS gets no CORS headers. */
const corsFor =
  (named: readonly string[], modes: ModeRegistry): FastifyCorsOptionsDelegate =>
  (request, done) => {
    const { origin } = request.headers;
    if (origin === undefined || !named.includes(origin)) return done(null, { origin: false });
    // Not earlier, because modes register after the application is configured.
    const allowedHeaders = ['Content-Type', ...modes.requestHeaders].toSorted();
    done(null, { ...CORS, allowedHeaders, origin });
  };
