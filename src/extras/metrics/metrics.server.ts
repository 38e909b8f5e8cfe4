import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { StartError } from '../../platform/config/start-error.js';
import { Instruments } from '../../platform/instruments/instruments.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { Authentications } from './authentications.js';
import { familiesOf, register } from './metric-family.js';
import { RequestDurations } from './request-durations.js';
import './metrics.settings.js';

/** The limit for a request to arrive. */
const PATIENCE_MS = 10_000;
/** Node's default of 30 s would let timeouts take longer. */
const CHECK_EVERY_MS = 1_000;
/** They share the file descriptors of the process with the API. */
const MAX_CONNECTIONS = 50;

/** Serves `GET /metrics` on METRICS_PORT, and nothing else. Without METRICS_PORT, nothing is counted by this room. */
@Injectable()
export class MetricsServer implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  #server: FastifyInstance | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly http: HttpAdapterHost,
    private readonly instruments: Instruments,
    private readonly durations: RequestDurations,
    private readonly authentications: Authentications,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    if (!this.#isOn) return;
    this.durations.watch(this.http.httpAdapter.getInstance());
    this.authentications.start();
  }

  /** @throws StartError if the port cannot be used */
  async onApplicationBootstrap(): Promise<void> {
    if (!this.#isOn) return;
    const { HOST, METRICS_PORT } = this.config;
    this.#server = await this.#create();
    try {
      const url = await this.#server.listen({ host: HOST, port: METRICS_PORT! });
      this.logger.info({ url: `${url}/metrics` }, 'serving metrics');
    } catch (error) {
      throw explain(error, METRICS_PORT!);
    }
  }

  /** Late, so that the counts of the last requests can be read. */
  async onApplicationShutdown(): Promise<void> {
    await this.#server?.close();
  }

  get #isOn(): boolean {
    return this.config.METRICS_PORT !== undefined && Boolean(this.http.httpAdapter);
  }

  async #create(): Promise<FastifyInstance> {
    // Loaded only with METRICS_PORT.
    const { Registry, collectDefaultMetrics } = await import('@prometheus-io/client');
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    for (const family of [this.durations, ...familiesOf(this.instruments)]) register(registry, family);
    const server = fastify({
      exposeHeadRoutes: false,
      forceCloseConnections: true,
      requestTimeout: PATIENCE_MS,
      http: { connectionsCheckingInterval: CHECK_EVERY_MS, headersTimeout: PATIENCE_MS },
      frameworkErrors: (_error, _request, reply) => void (reply as FastifyReply).status(404).send(),
    });
    server.server.maxConnections = MAX_CONNECTIONS;
    server.get('/metrics', async (_request, reply) => {
      void reply.header('Cache-Control', 'no-store').type(registry.contentType);
      return registry.metrics();
    });
    server.setNotFoundHandler((_request, reply) => reply.status(404).send());
    return server;
  }
}

/** Explains an error of `listen` by the setting to change. */
function explain(error: unknown, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new StartError(
      `Port ${port} is in use. Stop the other server, or set METRICS_PORT to another port.`,
    );
  if (code === 'EACCES')
    return new StartError(
      `Port ${port} is reserved for privileged users. Set METRICS_PORT to 1024 or higher.`,
    );
  return error;
}
