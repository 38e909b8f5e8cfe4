import 'reflect-metadata';
import cookie from '@fastify/cookie';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { AppModule } from './app.module.js';
import type { Config } from './config/config.js';
import { logAccess } from './http/access-log.js';
import { closeConnections } from './http/closing.js';
import { MAX_BODY_BYTES, parseJsonBodies } from './http/json-body.js';
import { PROBLEM_JSON, problemBody } from './http/problem.filter.js';
import { secureHttp } from './http/security.js';
import { createLogger, LOGGER, NestLogger } from './logging/logger.js';
import { ApiReference } from './openapi/api-reference.js';
import { InternalError, transportProblem } from './problems/request-problems.js';

/** Who sends a request more slowly is cut off: slow senders must not hold connections. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Fastify as this application needs it. */
export function createAdapter(config: Config): FastifyAdapter {
  return new FastifyAdapter({
    genReqId: () => uuidv7(),
    trustProxy: config.TRUSTED_PROXIES.length > 0 ? config.TRUSTED_PROXIES : false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Errors before any route, such as a URL that is not well-formed.
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      const problem = transportProblem(error) ?? new InternalError();
      void reply.status(problem.kind.status).type(PROBLEM_JSON).send(problemBody(problem, request.id));
    },
  });
}

/** How Nest is to make the application. */
export const APP_OPTIONS = { bodyParser: false, abortOnError: false } as const;

/** Hooks, headers, parsers and the API reference: all that is not a module. Before the application listens. */
export async function configureApp(app: NestFastifyApplication, config: Config): Promise<void> {
  const logger = app.get<Logger>(LOGGER);
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  parseJsonBodies(fastify);
  logAccess(fastify, logger);
  closeConnections(fastify);
  await secureHttp(fastify, config);
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
