import { Injectable, type OnApplicationBootstrap, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { type AccessPolicy, readPolicy } from './access-policy.js';
import { missingParameters } from './resource.js';
import { ModeRegistry } from './mode-registry.js';

export interface Route {
  readonly method: string;
  /** `/v1/orders/:id` */
  readonly path: string;
  readonly controller: Function;
  readonly handler: Function;
  readonly policy: AccessPolicy;
}

/** Routes that declare nothing or contradict themselves. The application does not start. */
export class RouteDeclarationError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`Every route must declare who may call it:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'RouteDeclarationError';
  }
}

/** Every route with its policy, computed once at boot (ASVS 8.1.1, 8.2.1). */
@Injectable()
export class RouteTable implements OnApplicationBootstrap {
  #routes: readonly Route[] = [];
  readonly #policies = new Map<Function, Map<Function, AccessPolicy>>();
  readonly #policiesByPath = new Map<string, AccessPolicy>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly modes: ModeRegistry,
  ) {}

  /** Modes have registered themselves in onModuleInit by now. @throws RouteDeclarationError naming all bad routes */
  onApplicationBootstrap(): void {
    const faults: string[] = [];
    const routes: Route[] = [];
    for (const { controller, handler, method, path } of this.#declared()) {
      const policy = readPolicy(this.modes, controller, handler);
      if (typeof policy === 'string') {
        faults.push(`${method} ${path} (${controller.name}.${handler.name}) ${policy}`);
        continue;
      }
      const strays = policy.public || !policy.resource ? [] : missingParameters(policy.resource, path);
      if (strays.length > 0) {
        faults.push(
          `${method} ${path} (${controller.name}.${handler.name}) is about ${strays.join(', ')}, which its path has not`,
        );
        continue;
      }
      routes.push({ method, path, controller, handler, policy });
      this.#policiesByPath.set(`${method} ${path}`, policy);
      const ofController = this.#policies.get(controller) ?? new Map<Function, AccessPolicy>();
      this.#policies.set(controller, ofController.set(handler, policy));
    }
    if (faults.length > 0) throw new RouteDeclarationError(faults);
    this.#routes = routes;
  }

  all(): readonly Route[] {
    return this.#routes;
  }

  policyOf(controller: Function, handler: Function): AccessPolicy | undefined {
    return this.#policies.get(controller)?.get(handler);
  }

  /** The policy of the route that a router matched. @param path with its parameters, `/v1/orders/:id` */
  policyAt(method: string, path: string | undefined): AccessPolicy | undefined {
    return this.#policiesByPath.get(`${method === 'HEAD' ? 'GET' : method} ${path}`);
  }

  /** What routes are about: `orders`, where one declares `orders/:id`. */
  resourceKinds(): Set<string> {
    return new Set(
      this.#routes.flatMap(({ policy }) =>
        policy.public || !policy.resource ? [] : [policy.resource.split('/', 1)[0]!],
      ),
    );
  }

  /** The methods that a path answers to; none for a path that does not exist. */
  methodsOf(url: string): string[] {
    const asked = parts(url.split('?', 1)[0]!);
    const methods = this.#routes
      .filter((route) => matches(parts(route.path), asked))
      .map((route) => route.method);
    if (methods.includes('GET')) methods.push('HEAD');
    return [...new Set(methods)].toSorted();
  }

  *#declared() {
    for (const { instance, metatype } of this.discovery.getControllers()) {
      if (!instance || !metatype) continue;
      const prototype = Object.getPrototypeOf(instance) as Record<string, Function>;
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name]!;
        const verb = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
        if (verb === undefined) continue;
        for (const path of paths(metatype, handler))
          yield { controller: metatype as Function, handler, method: RequestMethod[verb], path };
      }
    }
  }
}

const declaredPaths = (target: Function) =>
  [Reflect.getMetadata(PATH_METADATA, target) as string | string[]].flat();

function paths(controller: Function, handler: Function): string[] {
  return declaredPaths(controller).flatMap((base) =>
    declaredPaths(handler).map((rest) => `/${segments(`${base}/${rest}`).join('/')}`),
  );
}

const segments = (path: string) => path.split('/').filter(Boolean);

/** Unlike `segments`, with the empty ones: as for the router, `/v1/orders/` is not `/v1/orders`. */
const parts = (path: string) => path.split('/').slice(1);

const matches = (pattern: string[], asked: string[]) =>
  pattern.length === asked.length &&
  pattern.every((part, i) => (part.startsWith(':') ? asked[i] !== '' : part === asked[i]));
