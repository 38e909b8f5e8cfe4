import type { FastifyInstance, RouteOptions } from 'fastify';
import type { Route } from './route-table.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The matched route. Undefined until the application has started, and for routes of a plugin. */
    declared?: { route?: Route };
  }
}

interface ServedRoute extends Pick<RouteOptions, 'method' | 'url'> {
  readonly version: unknown;
  readonly declared: { route?: Route };
}

/** The routes of Fastify's router. Create it before Nest registers its routes. */
export class ServedRoutes {
  readonly #routes: ServedRoute[] = [];

  constructor(fastify: FastifyInstance) {
    fastify.addHook('onRoute', (options) => {
      const { method, url, constraints } = options;
      const declared = {};
      options.config = { ...options.config, declared };
      this.#routes.push({ method, url, version: constraints?.['version'], declared });
    });
  }

  /** Links the entries of the router to a declared route. Returns whether there is one. */
  bind(route: Route): boolean {
    const served = this.#routes.filter(
      ({ method, url, version }) =>
        url === route.path && version === route.version && answersTo(method, route.method),
    );
    for (const { declared } of served) declared.route = route;
    return served.length > 0;
  }
}

/** Fastify adds HEAD to every GET, and lists the methods of `@All()`. */
const answersTo = (served: string | string[], declared: string) =>
  Array.isArray(served)
    ? declared === 'ALL'
    : served === declared || (served === 'HEAD' && declared === 'GET');
