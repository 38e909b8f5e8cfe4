import helmet from '@fastify/helmet';
import cors, { type FastifyCorsOptionsDelegate } from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import type { ModeRegistry } from '../../auth/mode-registry.js';
import type { Config } from '../../platform/config/config.js';

const YEAR_SECONDS = 31_536_000;

/** What an HTML page of ours may load: itself. Swagger UI sets styles inline. */
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
  // An OPTIONS that is no preflight is answered like one: the plugin's refusal is plain text.
  strictPreflight: false,
};

/** What helmet sets below, for the answers that are made before any hook runs. A test compares the two. */
export const bareHeaders = (config: Config, requestId: string): Record<string, string> => ({
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
  ...(config.production && { 'Strict-Transport-Security': `max-age=${YEAR_SECONDS}; includeSubDomains` }),
  'X-Request-Id': requestId,
  'Cache-Control': 'no-store',
});

/** Headers of every answer (ASVS 3.4), and CORS for the origins that are named. */
export async function secureHttp(
  fastify: FastifyInstance,
  config: Config,
  modes: ModeRegistry,
): Promise<void> {
  await fastify.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
    strictTransportSecurity: config.production ? { maxAge: YEAR_SECONDS, includeSubDomains: true } : false,
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
  });
  // Before CORS, which answers to preflights itself.
  fastify.addHook('onRequest', async (request, reply) => {
    void reply.header('X-Request-Id', request.id);
    // An answer may be personal unless the handler says otherwise (ASVS 14.3.2).
    void reply.header('Cache-Control', 'no-store');
  });
  if (config.CORS_ORIGINS.length > 0)
    await fastify.register(cors, { delegator: corsFor(config.CORS_ORIGINS, modes) });
  fastify.addHook('onSend', async (_request, reply) => {
    const type = reply.getHeader('content-type');
    if (typeof type === 'string' && type.startsWith('text/html'))
      void reply.header('Content-Security-Policy', PAGE_CSP);
  });
}

/** Whom CORS_ORIGINS does not name gets no header of CORS at all. */
const corsFor =
  (named: readonly string[], modes: ModeRegistry): FastifyCorsOptionsDelegate =>
  (request, done) => {
    const { origin } = request.headers;
    if (origin === undefined || !named.includes(origin)) return done(null, { origin: false });
    // Read here: modes register after the application is configured.
    const allowedHeaders = ['Content-Type', ...modes.requestHeaders].toSorted();
    done(null, { ...CORS, allowedHeaders, origin });
  };
