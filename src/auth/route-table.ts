import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { StartError } from '../platform/config/start-error.js';
import type { FastifyInstance } from 'fastify';
import { type AccessPolicy, readPolicy } from './access-policy.js';
import { DeclaredElsewhere } from './declared-elsewhere.js';
import { ModeRegistry } from './mode-registry.js';
import { isPlain, isAt } from './path-pattern.js';
import { RequirementRegistry } from './requirements.js';
import { type ResolvedRoute, ResolvedRoutes } from './resolved-routes.js';
import { missingParameters } from './resource.js';
import { ServedRoutes } from './served-routes.js';

export interface Route extends ResolvedRoute {
  readonly policy: AccessPolicy;
}

/** Routes with missing or contradictory declarations. The application does not start. */
export class RouteDeclarationError extends StartError {
  constructor(readonly faults: readonly string[]) {
    super(
      `Every route must declare who can call it and what input it takes:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    );
    this.name = 'RouteDeclarationError';
  }
}

/** Returns the faults of a route. Each completes a sentence that starts with the name of the route. */
export type RouteCheck = (route: Route) => readonly string[];

/** All routes with their policies, computed once at boot (ASVS 8.1.1, 8.2.1). */
@Injectable()
export class RouteTable implements OnApplicationBootstrap {
  #routes: readonly Route[] = [];
  readonly #policies = new Map<Function, Map<Function, AccessPolicy>>();
  readonly #checks: RouteCheck[] = [];
  /** Undefined without an HTTP server. */
  #served: ServedRoutes | undefined;

  constructor(
    private readonly resolved: ResolvedRoutes,
    private readonly elsewhere: DeclaredElsewhere,
    private readonly modes: ModeRegistry,
    private readonly requirements: RequirementRegistry,
  ) {}

  /** Records every route of the router. Call it before Nest registers routes. @throws RouteDeclarationError */
  watch(fastify: FastifyInstance): void {
    const faults = [...this.resolved.all()]
      .filter(({ path }) => !isPlain(path))
      .map(
        (route) =>
          `${nameOf(route)} has an unsupported path: only names, \`:parameters\` and a final \`*\` are allowed`,
      );
    if (faults.length > 0) throw new RouteDeclarationError(faults);
    this.#served = new ServedRoutes(fastify);
  }

  /** Adds a check of every route. Call it in `onModuleInit`. */
  check(check: RouteCheck): void {
    this.#checks.push(check);
  }

  /** Runs after the modes have registered in onModuleInit. @throws RouteDeclarationError with all faults */
  onApplicationBootstrap(): void {
    const faults: string[] = [];
    const routes: Route[] = [];
    for (const resolved of this.resolved.all()) {
      const policy = readPolicy(this.modes, this.requirements, resolved.controller, resolved.handler);
      if (typeof policy === 'string') {
        faults.push(`${nameOf(resolved)} ${policy}`);
        continue;
      }
      const route = { ...resolved, policy };
      faults.push(...this.#faultsOf(route).map((fault) => `${nameOf(route)} ${fault}`));
      routes.push(route);
    }
    faults.push(...this.elsewhere.faults());
    if (faults.length > 0) throw new RouteDeclarationError(faults);
    this.#routes = routes;
    for (const { controller, handler, policy } of routes) {
      const ofController = this.#policies.get(controller) ?? new Map<Function, AccessPolicy>();
      this.#policies.set(controller, ofController.set(handler, policy));
    }
  }

  all(): readonly Route[] {
    return this.#routes;
  }

  policyOf(controller: Function, handler: Function): AccessPolicy | undefined {
    return this.#policies.get(controller)?.get(handler);
  }

  /** The path of a handler, without the values of its parameters. */
  pathOf<Controller extends object>(
    controller: abstract new (...args: never[]) => Controller,
    method: keyof Controller & string,
  ): string {
    const handler = controller.prototype[method] as Function;
    const route = this.#routes.find((one) => one.controller === controller && one.handler === handler);
    if (!route) throw new Error(`${controller.name}.${method} has no route`);
    return route.path;
  }

  /** The kinds of resources that routes declare: `orders` for `orders/:id`. */
  resourceKinds(): Set<string> {
    return new Set(
      this.#routes.flatMap(({ policy }) =>
        policy.public || !policy.resource ? [] : [policy.resource.split('/', 1)[0]!],
      ),
    );
  }

  /** The routes of a URL, with any method and version. */
  at(url: string): Route[] {
    const [path = ''] = url.split('?', 1);
    return this.#routes.filter((route) => isAt(route.path, path));
  }

  #faultsOf(route: Route): string[] {
    const { policy, path } = route;
    const faults = this.#checks.flatMap((check) => check(route));
    const strays = policy.public || !policy.resource ? [] : missingParameters(policy.resource, path);
    if (strays.length > 0)
      faults.push(`declares the resource \`${strays.join(', ')}\`, but its path has no such parameter`);
    if (this.#served?.bind(route) === false) faults.push('is not registered in the router at this path');
    return faults;
  }
}

const nameOf = ({ method, path, controller, handler }: ResolvedRoute) =>
  `${method} ${path} (${controller.name}.${handler.name})`;
