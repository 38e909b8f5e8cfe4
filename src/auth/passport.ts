import type { Type } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import passport from 'passport';
import { Strategy } from 'passport-strategy';
import { InvalidCredentialError } from './auth.errors.js';

type Passport = InstanceType<typeof passport.Passport>;

/** Puts a strategy into the Passport of one application. Made by `adapt` or `read`. */
export type StrategyAdapter = (name: string, application: Passport) => void;

type OptionsOf<Package extends Type<Strategy>> = ConstructorParameters<
  ReturnType<typeof PassportStrategy<Package>>
>;

/**
 * A strategy of a package. It takes the credential off the request and does not verify it.
 *
 * @param options the arguments of the package's constructor, without the callback
 * @param credentialIn what of the value that the package hands to its callback is the credential
 * @example
 * ```ts
 * adapt(HeaderAPIKeyStrategy, [{ header: 'X-API-Key', prefix: '' }, false])
 * ```
 */
export const adapt =
  <Package extends Type<Strategy>>(
    Package: Package,
    options: OptionsOf<Package>,
    credentialIn = (taken: string): string => taken,
  ): StrategyAdapter =>
  (name, application) => {
    class Adapted extends PassportStrategy<Type<Strategy>>(Package, name) {
      /** A new strategy adds itself to this one. By default, all applications of the process share one Passport. */
      getPassportInstance(): Passport {
        return application;
      }

      validate(taken: string): string {
        return credentialIn(taken);
      }
    }
    void new Adapted(...(options as unknown[]));
  };

/**
 * A strategy that needs no package. It reads the credential from the request.
 *
 * @param credentialOf returns undefined for none; it can throw InvalidCredentialError
 */
export const read =
  (credentialOf: (request: FastifyRequest) => string | undefined): StrategyAdapter =>
  (name, application) => {
    class Reading extends Strategy {
      override authenticate(request: unknown): void {
        this.success(credentialOf(request as FastifyRequest));
      }
    }
    application.use(name, new Reading());
  };

/** The Passport of one application: the only way to a strategy. It takes credentials off requests; modes verify them. */
export class PassportDoor {
  readonly passport: Passport = new passport.Passport();
  readonly #names = new Set<string>();

  use(name: string, adapter: StrategyAdapter): void {
    if (this.#names.has(name)) throw new Error(`the strategy "${name}" is registered twice`);
    this.#names.add(name);
    adapter(name, this.passport);
  }

  /**
   * The credential that the strategy of this name takes off the request. The strategy is selected by name: given an
   * instance, Passport runs parallel requests on that one object and mixes up their credentials.
   * @throws InvalidCredentialError if the strategy takes nothing or does not decide
   */
  take(name: string, request: FastifyRequest): Promise<string> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, credential?: unknown, info?: unknown) => {
        if (error) reject(error);
        else if (typeof credential === 'string' && credential !== '') resolve(credential);
        else reject(new InvalidCredentialError(info instanceof Error ? info.message : 'no credential'));
      };
      // next() means that the strategy passed without a decision: never a success.
      const next = (error?: unknown) =>
        reject((error as Error | undefined) ?? new InvalidCredentialError('not decided'));
      const handler = this.passport.authenticate(name, { session: false }, done) as (
        ...args: unknown[]
      ) => void;
      // No response: a strategy that redirects or answers by itself fails.
      handler(request, undefined, next);
    });
  }
}
