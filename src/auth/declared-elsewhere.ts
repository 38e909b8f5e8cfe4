import { Injectable } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { AUTHENTICATED, PUBLIC } from './authenticated.decorator.js';

/** Metadata key of @MessagePattern() and @EventPattern(). Their package may not be installed. */
const MESSAGE_HANDLER = 'microservices:handler_type';

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** Finds declarations on gateways, resolvers and message handlers, which the guard does not protect. */
@Injectable()
export class DeclaredElsewhere {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  faults(): string[] {
    return [
      ...this.discovery.getProviders().flatMap((wrapper) => this.#faultsOf(wrapper, false)),
      ...this.discovery.getControllers().flatMap((wrapper) => this.#faultsOf(wrapper, true)),
    ];
  }

  #faultsOf({ metatype }: Wrapper, isController: boolean): string[] {
    if (typeof metatype !== 'function' || !metatype.prototype) return [];
    const ofClass = declares(metatype);
    const faults = ofClass && !isController ? [faultOf(metatype.name)] : [];
    const prototype = metatype.prototype as Record<string, Function>;
    for (const name of this.scanner.getAllMethodNames(prototype)) {
      const method = prototype[name]!;
      if (Reflect.hasMetadata(METHOD_METADATA, method)) continue;
      if (declares(method) || (ofClass && Reflect.hasMetadata(MESSAGE_HANDLER, method)))
        faults.push(faultOf(`${metatype.name}.${name}`));
    }
    return faults;
  }
}

const declares = (target: Function) =>
  Reflect.hasMetadata(AUTHENTICATED, target) || Reflect.hasMetadata(PUBLIC, target);

const faultOf = (name: string) =>
  `${name} declares @Authenticated() or @Public(), but is not an HTTP handler, so the declaration has no effect`;
