import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Inject,
  Injectable,
  NotFoundException,
} from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { REALM } from '../../auth/auth.errors.js';
import { ModeRegistry } from '../../auth/mode-registry.js';
import { type Route, RouteTable } from '../../auth/route-table.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { isDatabaseUnavailable } from '../../platform/database/unavailable.js';
import { howToSend, routeConfigOf } from './accept-body.decorator.js';
import { oauthBody } from './oauth-answer.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { NotFoundError } from '../../platform/problems/not-found.js';
import { findProblem, ProblemError } from '../../platform/problems/problem.js';
import {
  DatabaseUnavailableError,
  InternalError,
  MethodNotAllowedError,
  NestHttpError,
  transportProblem,
  UnsupportedMediaTypeError,
} from '../../platform/problems/request-problems.js';

export const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

/** RFC 9457. `instance` is the id of the request, under which the log tells more. */
export function problemBody(
  error: ProblemError,
  instance: string,
  { problemPages }: FastifyInstance,
): object {
  const { kind, detail, extensions } = error;
  return {
    // What nobody declared has no page.
    type: findProblem(kind.slug) ? `${problemPages.path}/${kind.slug}` : 'about:blank',
    title: kind.title,
    status: kind.status,
    detail,
    instance,
    ...extensions,
  };
}

/** Turns whatever was thrown into problem+json; what nobody expected is logged and told to nobody (ASVS 16.5.1, 16.5.4). */
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
    // Every 401 has a challenge (RFC 9110 15.5.2); where a password was wrong, the ones that a person can answer.
    if (problem.kind.status === 401) void reply.header('WWW-Authenticate', this.#personChallenges());
    void reply.status(problem.kind.status).headers(problem.headers);
    if (!(problem instanceof NotFoundError) && this.#answersOAuth(request))
      return void reply.type('application/json; charset=utf-8').send(oauthBody(problem));
    void reply.type(PROBLEM_JSON).send(problemBody(problem, request.id, request.server));
  }

  /** Also for a method that the route does not answer to. */
  #answersOAuth(request: FastifyRequest): boolean {
    if (!request.is404) return request.routeOptions.config.oauthErrors ?? false;
    return this.routes.at(request.url).some(({ handler }) => routeConfigOf(handler).oauthErrors);
  }

  #problemOf(error: unknown, request: FastifyRequest): ProblemError {
    if (error instanceof ProblemError) return error;
    if (error instanceof NotFoundException && request.is404) return this.#unknownRoute(request);
    const transport = transportProblem(error);
    // Whatever is wrong with its body too, there is nothing where it went.
    if (transport && request.is404) return this.#unknownRoute(request);
    if (transport?.kind.status === 415)
      return new UnsupportedMediaTypeError(howToSend(request.routeOptions.config.body));
    if (transport) return transport;
    if (error instanceof HttpException) return new NestHttpError(error);
    if (isDatabaseUnavailable(error)) {
      this.logger.error({ err: error }, 'the database cannot be reached');
      return new DatabaseUnavailableError();
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
    // A route of this method can be there all the same, in another version.
    if (allowed.length > 0 && !allowed.includes(request.method)) return new MethodNotAllowedError(allowed);
    const hint = this.config.DOCS ? ' The API reference lists all routes.' : '';
    return new NotFoundError(`There is no such route.${hint}`);
  }
}

function methodsOf(routes: readonly Route[], all: readonly string[]): string[] {
  const methods = routes.flatMap(({ method }) => (method === 'ALL' ? all : [method]));
  if (methods.includes('GET')) methods.push('HEAD');
  return [...new Set(methods)].toSorted();
}
