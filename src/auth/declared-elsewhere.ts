import { Injectable } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { AUTHENTICATED, PUBLIC } from './authenticated.decorator.js';

/** Of @MessagePattern() and @EventPattern(), whose package may not be there. */
const MESSAGE_HANDLER = 'microservices:handler_type';

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** Declarations on what is not a handler of HTTP: a gateway, a resolver, a message pattern. No guard of ours protects those. */
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
  `${name} declares @Authenticated() or @Public(), but is not an HTTP handler: the declaration would protect nothing`;
