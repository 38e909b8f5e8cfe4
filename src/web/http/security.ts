import cors, { type FastifyCorsOptionsDelegate } from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import type { ModeRegistry } from '../../auth/mode-registry.js';
import type { Config } from '../../platform/config/config.js';

const YEAR_SECONDS = 31_536_000;

/** HTML pages can load only files of this server. Swagger UI needs inline styles. */
const PAGE_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

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

/** The security headers of every answer (ASVS 3.4). They are the defaults of helmet, with stricter CSP and framing. */
export const secureHeaders = ({ production }: Config): Record<string, string> => ({
  'Content-Security-Policy': "default-src 'none';frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Origin-Agent-Cluster': '?1',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'X-Download-Options': 'noopen',
  'X-Frame-Options': 'DENY',
  'X-Permitted-Cross-Domain-Policies': 'none',
  'X-XSS-Protection': '0',
  ...(production && { 'Strict-Transport-Security': `max-age=${YEAR_SECONDS}; includeSubDomains` }),
  // Unless the handler sets another value, because an answer can be personal (ASVS 14.3.2).
  'Cache-Control': 'no-store',
});

/** Sets security headers and the request id, and allows CORS for CORS_ORIGINS. */
export async function secureHttp(
  fastify: FastifyInstance,
  config: Config,
  modes: ModeRegistry,
): Promise<void> {
  const headers = secureHeaders(config);
  // Before CORS, which answers preflight requests itself.
  fastify.addHook('onRequest', async (request, reply) => {
    void reply.headers(headers).header('X-Request-Id', request.id);
  });
  if (config.CORS_ORIGINS.length > 0)
    await fastify.register(cors, { delegator: corsFor(config.CORS_ORIGINS, modes) });
  fastify.addHook('onSend', async (_request, reply) => {
    const type = reply.getHeader('content-type');
    if (typeof type === 'string' && type.startsWith('text/html'))
      void reply.header('Content-Security-Policy', PAGE_CSP);
  });
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
