import 'reflect-metadata';
import { maxHeaderSize } from 'node:http';
import cookie from '@fastify/cookie';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { refuseCredentialInUrl } from './auth/credential-in-url.js';
import { RouteTable } from './auth/route-table.js';
import { type Config, configWarnings } from './platform/config/config.js';
import { newRequestId } from './platform/crypto/request-id.js';
import { logAccess } from './web/http/access-log.js';
import { sendTogether } from './web/http/answers-together.js';
import { refuseConnection, refuseUrl } from './web/http/bare-refusals.js';
import { Readiness } from './web/health/readiness.js';
import { readBodyHeaders } from './web/http/body-headers.js';
import { boundedServer } from './web/http/bounded-server.js';
import { closeConnections } from './web/http/closing.js';
import { readForwarded } from './web/http/forwarded.js';
import { MAX_BODY_BYTES, parseBodies } from './web/http/json-body.js';
import { ModeRegistry } from './auth/mode-registry.js';
import { secureHttp } from './web/http/security.js';
import { createLogger, LOGGER, NestLogger } from './platform/logging/logger.js';
import { ProblemPages } from './web/http/problem-pages.js';
import { ApiReference } from './web/openapi/api-reference.js';

/** Fastify as this application needs it. */
export function createAdapter(config: Config): FastifyAdapter {
  return new FastifyAdapter({
    genReqId: newRequestId,
    trustProxy: config.TRUSTED_PROXIES.length > 0 ? config.TRUSTED_PROXIES : false,
    bodyLimit: MAX_BODY_BYTES,
    serverFactory: boundedServer,
    // A hook of ours answers, in the form of every other refusal.
    return503OnClosing: false,
    // Node limits the URL together with the headers: an id of any length is just one that nobody has.
    routerOptions: { maxParamLength: maxHeaderSize },
    frameworkErrors: refuseUrl(config),
    clientErrorHandler: refuseConnection(config),
  });
}

/** How Nest is to make the application. */
export const APP_OPTIONS = { bodyParser: false, abortOnError: false } as const;

/** Hooks, headers, parsers and the API reference: all that is not a module. Before the application listens. */
export async function configureApp(app: NestFastifyApplication, config: Config): Promise<void> {
  const logger = app.get<Logger>(LOGGER);
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  for (const warning of configWarnings(config)) logger.warn(warning);
  app.get(RouteTable).watch(fastify);
  fastify.decorate<Pick<ProblemPages, 'path'>>('problemPages', app.get(ProblemPages));
  parseBodies(fastify);
  if (config.TRUSTED_PROXIES.length > 0) readForwarded(fastify, logger);
  logAccess(fastify, logger);
  closeConnections(fastify);
  sendTogether(fastify);
  await secureHttp(fastify, config, app.get(ModeRegistry));
  refuseCredentialInUrl(fastify);
  // Behind the refusal of a credential in the URL, which comes first.
  readBodyHeaders(fastify);
  await app.register(cookie);
  app.get(ApiReference).describe(app);
}

/** The whole application, ready to listen. */
export async function createApp(config: Config): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with(config),
    createAdapter(config),
    {
      ...APP_OPTIONS,
      logger: new NestLogger(createLogger(config)),
    },
  );
  await configureApp(app, config);
  return app;
}

/** Readiness turns 503 first, so that load balancers send no more requests. After DRAIN_TIME the server closes. */
export async function stopApp(app: NestFastifyApplication, { DRAIN_TIME }: Config): Promise<void> {
  if (app.getHttpServer().listening) await app.get(Readiness).drain(DRAIN_TIME);
  await app.close();
}
