import 'reflect-metadata';
import { maxHeaderSize } from 'node:http';
import cookie from '@fastify/cookie';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { refuseCredentialInUrl } from './auth/credential-in-url.js';
import { ResolvedRoutes } from './auth/resolved-routes.js';
import { RouteTable } from './auth/route-table.js';
import { type Config, configWarnings } from './platform/config/config.js';
import { newRequestId } from './platform/crypto/request-id.js';
import { Instruments } from './platform/instruments/instruments.js';
import { logAccess } from './web/http/access-log.js';
import { sendTogether } from './web/http/answers-together.js';
import { refuseConnection, refuseUrl } from './web/http/bare-refusals.js';
import { Readiness } from './web/health/readiness.js';
import { readBodyHeaders } from './web/http/body-headers.js';
import { boundedServer } from './web/http/bounded-server.js';
import { closeConnections } from './web/http/closing.js';
import { readForwarded, trustOnly } from './web/http/forwarded.js';
import { MAX_BODY_BYTES, parseBodies } from './web/http/json-body.js';
import { ModeRegistry } from './auth/mode-registry.js';
import { allowCors } from './web/http/security.js';
import { createLogger, LOGGER, NestLogger } from './platform/logging/logger.js';
import { refuseOverload, reportOverload } from './web/http/overload.js';
import { ProblemPages } from './web/http/problems.controller.js';
import { reportTiming } from './web/http/server-timing.js';
import { validateParameters } from './web/http/validation.js';
import { ApiReference } from './web/openapi/api-reference.js';

/** Creates the Fastify adapter. */
export function createAdapter(config: Config): FastifyAdapter {
  const adapter: FastifyAdapter = new FastifyAdapter({
    genReqId: newRequestId,
    trustProxy: config.TRUSTED_PROXIES.length > 0 && trustOnly(config.TRUSTED_PROXIES),
    bodyLimit: MAX_BODY_BYTES,
    serverFactory: boundedServer(config, (response) => refuseOverload(adapter.getInstance(), response)),
    // `closeConnections` answers with a problem instead.
    return503OnClosing: false,
    // Node already limits the URL. A longer id is an unknown id, and must be 404.
    routerOptions: { maxParamLength: maxHeaderSize },
    frameworkErrors: refuseUrl,
    clientErrorHandler: refuseConnection(config),
  });
  return adapter;
}

/** Options for Nest. */
export const APP_OPTIONS = { bodyParser: false, abortOnError: false } as const;

/** Adds hooks, headers, parsers and the API reference. Call it before the application listens. */
export async function configureApp(app: NestFastifyApplication, config: Config): Promise<void> {
  const logger = app.get<Logger>(LOGGER);
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  for (const warning of configWarnings(config)) logger.warn(warning);
  app.get(RouteTable).watch(fastify);
  validateParameters(app.get(ResolvedRoutes).all());
  fastify.decorate<Pick<ProblemPages, 'path'>>('problemPages', app.get(ProblemPages));
  parseBodies(fastify);
  if (config.TRUSTED_PROXIES.length > 0) readForwarded(fastify, logger);
  logAccess(fastify, logger);
  closeConnections(fastify);
  reportOverload(fastify, logger, app.get(Instruments));
  await allowCors(fastify, config, app.get(ModeRegistry));
  refuseCredentialInUrl(fastify);
  // After the refusal of a credential in the URL, which takes precedence.
  readBodyHeaders(fastify);
  await app.register(cookie);
  if (!config.production) reportTiming(fastify);
  // After the hooks that add headers.
  sendTogether(fastify);
  app.get(ApiReference).describe(app);
}

/** Creates the application, ready to listen. */
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

/** Turns readiness to 503, so that load balancers send no more requests. Closes after DRAIN_TIME. */
export async function stopApp(app: NestFastifyApplication, { DRAIN_TIME }: Config): Promise<void> {
  if (app.getHttpServer().listening) await app.get(Readiness).drain(DRAIN_TIME);
  await app.close();
}
