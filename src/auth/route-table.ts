import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { StartError } from '../platform/config/start-error.js';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { type AccessPolicy, readPolicy } from './access-policy.js';
import { DeclaredElsewhere } from './declared-elsewhere.js';
import { ModeRegistry } from './mode-registry.js';
import { isPlain, isAt } from './path-pattern.js';
import { type ResolvedRoute, ResolvedRoutes } from './resolved-routes.js';
import { missingParameters } from './resource.js';

export interface Route extends ResolvedRoute {
  readonly policy: AccessPolicy;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route that the router matched. Undefined until the application has started, and for a plugin's routes. */
    declared?: { route?: Route };
  }
}

/** Routes that declare nothing or contradict themselves. The application does not start. */
export class RouteDeclarationError extends StartError {
  constructor(readonly faults: readonly string[]) {
    super(
      `Every route must declare who can call it and what it takes:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    );
    this.name = 'RouteDeclarationError';
  }
}

/** Returns what is wrong with a route, as the end of a sentence that begins with the route. */
export type RouteCheck = (route: Route) => readonly string[];

interface ServedRoute extends Pick<RouteOptions, 'method' | 'url'> {
  readonly version: unknown;
  readonly declared: { route?: Route };
}

/** Every route with its policy, computed once at boot (ASVS 8.1.1, 8.2.1). */
@Injectable()
export class RouteTable implements OnApplicationBootstrap {
  #routes: readonly Route[] = [];
  readonly #policies = new Map<Function, Map<Function, AccessPolicy>>();
  readonly #checks: RouteCheck[] = [];
  #served: ServedRoute[] | undefined;

  constructor(
    private readonly resolved: ResolvedRoutes,
    private readonly elsewhere: DeclaredElsewhere,
    private readonly modes: ModeRegistry,
  ) {}

  /** Sees every route that the router gets. Before Nest registers its own. @throws RouteDeclarationError naming bad paths */
  watch(fastify: FastifyInstance): void {
    const served: ServedRoute[] = (this.#served = []);
    const faults = [...this.resolved.all()]
      .filter(({ path }) => !isPlain(path))
      .map(
        (route) => `${nameOf(route)} has a path with more than names, \`:parameters\` and a \`*\` at its end`,
      );
    if (faults.length > 0) throw new RouteDeclarationError(faults);
    fastify.addHook('onRoute', (options) => {
      const declared = {};
      options.config = { ...options.config, declared };
      served.push({
        method: options.method,
        url: options.url,
        version: options.constraints?.['version'],
        declared,
      });
    });
  }

  /** Adds a requirement that every route must meet. In `onModuleInit`. */
  check(check: RouteCheck): void {
    this.#checks.push(check);
  }

  /** Modes have registered themselves in onModuleInit by now. @throws RouteDeclarationError naming all bad routes */
  onApplicationBootstrap(): void {
    const faults: string[] = [];
    const routes: Route[] = [];
    for (const resolved of this.resolved.all()) {
      const policy = readPolicy(this.modes, resolved.controller, resolved.handler);
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

  /** What routes are about: `orders`, where one declares `orders/:id`. */
  resourceKinds(): Set<string> {
    return new Set(
      this.#routes.flatMap(({ policy }) =>
        policy.public || !policy.resource ? [] : [policy.resource.split('/', 1)[0]!],
      ),
    );
  }

  /** The routes of a URL, whatever their methods and versions. */
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
    if (!this.#bind(route)) faults.push('is not at this path of the router');
    return faults;
  }

  /** Tells the router's entry which route it is. A command has no router. */
  #bind(route: Route): boolean {
    const served = this.#served?.filter(
      ({ method, url, version }) =>
        url === route.path && version === route.version && answersTo(method, route.method),
    );
    for (const { declared } of served ?? []) declared.route = route;
    return served?.length !== 0;
  }
}

const nameOf = ({ method, path, controller, handler }: ResolvedRoute) =>
  `${method} ${path} (${controller.name}.${handler.name})`;

/** Fastify adds HEAD to every GET, and lists the methods of `@All()`. */
const answersTo = (served: string | string[], declared: string) =>
  Array.isArray(served)
    ? declared === 'ALL'
    : served === declared || (served === 'HEAD' && declared === 'GET');
