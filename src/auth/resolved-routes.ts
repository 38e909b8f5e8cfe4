import { Injectable, RequestMethod, VERSION_NEUTRAL, VersioningType } from '@nestjs/common';
import { METHOD_METADATA, MODULE_PATH, PATH_METADATA, VERSION_METADATA } from '@nestjs/common/constants.js';
import { ApplicationConfig, DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { RoutePathFactory } from '@nestjs/core/router/route-path-factory.js';

export interface ResolvedRoute {
  /** `GET`, or `ALL`. */
  readonly method: string;
  /** The path in the router: `/v1/orders/:id`. */
  readonly path: string;
  /** Set if the version is not in the path. Fastify compares it by reference. */
  readonly version: unknown;
  readonly controller: Function;
  readonly handler: Function;
  /** The name of the handler in its controller. */
  readonly methodName: string;
}

type Wrapper = ReturnType<DiscoveryService['getControllers']>[number];

/** All routes with their paths in the router: with global prefix, versions, RouterModule and lists of paths. */
@Injectable()
export class ResolvedRoutes {
  readonly #factory: RoutePathFactory;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {
    this.#factory = new RoutePathFactory(config);
  }

  *all(): Generator<ResolvedRoute> {
    for (const wrapper of this.discovery.getControllers()) {
      if (!wrapper.instance || !wrapper.metatype) continue;
      const prototype = Object.getPrototypeOf(wrapper.instance) as Record<string, Function>;
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name]!;
        const verb = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
        if (verb !== undefined) yield* this.#of(wrapper, name, handler, verb);
      }
    }
  }

  *#of(
    wrapper: Wrapper,
    methodName: string,
    handler: Function,
    verb: RequestMethod,
  ): Generator<ResolvedRoute> {
    const controller = wrapper.metatype as Function;
    const versioningOptions = this.config.getVersioning();
    const ofController =
      versioningOptions &&
      (Reflect.getMetadata(VERSION_METADATA, controller) ?? versioningOptions.defaultVersion);
    const ofMethod = Reflect.getMetadata(VERSION_METADATA, handler);
    const asked = versioningOptions?.type === VersioningType.URI ? undefined : ofMethod || ofController;
    const version = versioningOptions && asked !== VERSION_NEUTRAL ? asked : undefined;
    for (const ctrlPath of pathsOf(controller))
      for (const methodPath of pathsOf(handler))
        for (const path of this.#factory.create(
          {
            ctrlPath,
            methodPath,
            modulePath: this.#modulePath(wrapper),
            globalPrefix: withSlash(this.config.getGlobalPrefix()),
            ...(versioningOptions && { versioningOptions }),
            controllerVersion: ofController,
            methodVersion: ofMethod,
          },
          verb,
        ))
          yield { method: RequestMethod[verb], path, version, controller, handler, methodName };
  }

  /** The prefix from RouterModule. */
  #modulePath({ host }: Wrapper): string {
    const module = host!.metatype;
    return (
      Reflect.getMetadata(MODULE_PATH + this.modules.applicationId, module) ??
      Reflect.getMetadata(MODULE_PATH, module)
    );
  }
}

const pathsOf = (target: Function) =>
  [Reflect.getMetadata(PATH_METADATA, target) as string | string[]].flat().map(withSlash);

const withSlash = (path: string) => (path === '' || path.startsWith('/') ? path : `/${path}`);
