import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Principal } from './principal.js';

/**
 * Further requirements in a declaration. A room adds its own, so that `requires: { tenant: true }` is typed:
 * `declare module '../auth/requirements.js' { interface Requirements { tenant: true } }`.
 */
// oxlint-disable-next-line typescript/no-empty-object-type, typescript/no-empty-interface -- filled by declaration merging
export interface Requirements {}

export interface RequirementDefinition<Name extends string = string> {
  readonly name: Name;
  /** A sentence of the API reference, such as `Requires a tenant.` */
  readonly about: string;
  /** The slugs of the problems that `check` throws. */
  readonly problems: readonly string[];
  /** Runs on each request that has passed all other checks. Throws a problem. */
  check(principal: Principal, request: FastifyRequest, declared: unknown): void | Promise<void>;
}

/** A requirement as a route declares it. */
export interface DeclaredRequirement {
  readonly definition: RequirementDefinition;
  readonly declared: unknown;
}

/** The requirements of the rooms. Each room registers its own in `onModuleInit`. */
@Injectable()
export class RequirementRegistry {
  readonly #definitions = new Map<string, RequirementDefinition>();

  register(definition: RequirementDefinition<keyof Requirements>): void {
    const { name } = definition as RequirementDefinition;
    if (this.#definitions.has(name)) throw new Error(`the requirement "${name}" is registered twice`);
    this.#definitions.set(name, definition);
  }

  /** Returns the requirements of a route, or what is wrong with them. */
  read(requires: object): readonly DeclaredRequirement[] | string {
    const unknown = Object.keys(requires).filter((name) => !this.#definitions.has(name));
    if (unknown.length > 0) return `names unknown requirements: ${unknown.join(', ')}`;
    return Object.entries(requires).map(([name, declared]) => ({
      definition: this.#definitions.get(name)!,
      declared,
    }));
  }
}
