import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Inject,
  Injectable,
  NotFoundException,
} from '@nestjs/common';
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { REALM } from '../../auth/auth.errors.js';
import { ModeRegistry } from '../../auth/mode-registry.js';
import { type Route, RouteTable } from '../../auth/route-table.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { FOREIGN_KEY_VIOLATION, sqlStateOf } from '../../platform/database/retry-transaction.js';
import { isDatabaseUnavailable } from '../../platform/database/unavailable.js';
import { howToSend, routeConfigOf } from './accept-body.decorator.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { findProblem, ProblemError } from '../../platform/problems/problem.js';
import { NestHttpError, transportProblem } from './framework-errors.js';
import {
  DatabaseUnavailableError,
  InternalError,
  MethodNotAllowedError,
  UnsupportedMediaTypeError,
} from './http.errors.js';

export const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

/** The problem+json of an error (RFC 9457). `instance` is the request id, which the log has too. */
export function problemBody(
  error: ProblemError,
  instance: string,
  { problemPages }: FastifyInstance,
): object {
  const { kind, detail, extensions } = error;
  return {
    // An undeclared kind has no page.
    type: findProblem(kind.slug) ? `${problemPages.path}/${kind.slug}` : 'about:blank',
    title: kind.title,
    status: kind.status,
    detail,
    instance,
    ...extensions,
  };
}

/** Answers every error with problem+json. Unexpected errors are logged, and the answer has no details (ASVS 16.5.1, 16.5.4). */
@Catch()
@Injectable()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly routes: RouteTable,
    private readonly modes: ModeRegistry,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = this.#problemOf(error, request);
    // Every 401 needs a challenge (RFC 9110 15.5.2). A wrong password has none of its own, so it gets those for persons.
    if (problem.kind.status === 401) void reply.header('WWW-Authenticate', this.#personChallenges());
    void reply.status(problem.kind.status).headers(problem.headers);
    const bodyOf = problem instanceof NotFoundError ? undefined : this.#problemBodyOf(request);
    if (bodyOf) return void reply.type('application/json; charset=utf-8').send(bodyOf(problem));
    void reply.type(PROBLEM_JSON).send(problemBody(problem, request.id, request.server));
  }

  /** The route's own format, also for a method that the route does not allow. */
  #problemBodyOf({ is404, url, routeOptions }: FastifyRequest): FastifyContextConfig['problemBody'] {
    if (!is404) return routeOptions.config.problemBody;
    const configs = this.routes.at(url).map(({ handler }) => routeConfigOf(handler));
    return configs.find(({ problemBody }) => problemBody)?.problemBody;
  }

  #problemOf(error: unknown, request: FastifyRequest): ProblemError {
    if (error instanceof ProblemError) return error;
    if (error instanceof NotFoundException && request.is404) return this.#unknownRoute(request);
    const transport = transportProblem(error);
    // An unknown route is 404 even if the body is invalid too.
    if (transport && request.is404) return this.#unknownRoute(request);
    if (transport?.kind.status === 415)
      return new UnsupportedMediaTypeError(howToSend(request.routeOptions.config.body));
    if (transport) return transport;
    if (error instanceof HttpException) return new NestHttpError(error);
    if (isDatabaseUnavailable(error)) {
      this.logger.error({ err: error }, 'the database is unavailable');
      return new DatabaseUnavailableError();
    }
    if (sqlStateOf(error) === FOREIGN_KEY_VIOLATION) {
      // Such as the account, by a parallel request.
      this.logger.warn({ err: error }, 'a row that the request refers to was deleted meanwhile');
      return new NotFoundError('Something that this request needs was deleted meanwhile.');
    }
    this.logger.error({ err: error }, 'unexpected error');
    return new InternalError();
  }

  #personChallenges(): string[] {
    const schemes = this.modes
      .all()
      .filter((mode) => mode.carries !== 'machine')
      .map((mode) => mode.scheme);
    return [...new Set(schemes)].map((scheme) => `${scheme} ${REALM}`);
  }

  #unknownRoute(request: FastifyRequest): ProblemError {
    const allowed = methodsOf(this.routes.at(request.url), request.server.supportedMethods);
    // Another version of the route can allow the method.
    if (allowed.length > 0 && !allowed.includes(request.method)) return new MethodNotAllowedError(allowed);
    return new NotFoundError(`Not found.${this.config.DOCS ? ' The API reference lists all routes.' : ''}`);
  }
}

function methodsOf(routes: readonly Route[], all: readonly string[]): string[] {
  const methods = routes.flatMap(({ method }) => (method === 'ALL' ? all : [method]));
  if (methods.includes('GET')) methods.push('HEAD');
  return [...new Set(methods)].toSorted();
}
