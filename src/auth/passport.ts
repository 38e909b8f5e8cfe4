import type { Type } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import passport from 'passport';
import { Strategy } from 'passport-strategy';
import { InvalidCredentialError } from './auth.errors.js';

type Passport = InstanceType<typeof passport.Passport>;

/** Adds a strategy to the Passport of one application. Created by `adapt` or `read`. */
export type StrategyAdapter = (name: string, application: Passport) => void;

type OptionsOf<Package extends Type<Strategy>> = ConstructorParameters<
  ReturnType<typeof PassportStrategy<Package>>
>;

/**
 * Adapts the strategy of a Passport package. It takes the credential from the request and does not verify it.
 *
 * @param options the arguments of the package's constructor, without the callback
 * @param credentialIn picks the credential from the value that the package passes to its callback
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
    class Adapted extends PassportStrategy<Type<Strategy>>(deciding(Package, credentialIn), name) {
      /** A new strategy adds itself to this Passport. By default, all applications of a process share one. */
      getPassportInstance(): Passport {
        return application;
      }

      validate(): never {
        throw new Error('not called: the package decides with the callback of `deciding`');
      }
    }
    void new Adapted(...(options as unknown[]));
  };

/** Nest verifies in an asynchronous function. What a package takes from the request is not verified here, so it decides at once. */
function deciding(Package: Type<Strategy>, credentialIn: (taken: string) => string): Type<Strategy> {
  const decide = (taken: string, done: (error: null, credential: string) => void) =>
    done(null, credentialIn(taken));
  return class extends Package {
    constructor(...options: unknown[]) {
      // In the place of Nest's callback.
      super(...options.slice(0, -1), decide);
    }
  };
}

/**
 * A strategy without a package: reads the credential from the request.
 *
 * @param credentialOf returns undefined if there is none, and can throw InvalidCredentialError
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

/** The Passport of one application. It takes credentials from requests, and modes verify them. */
export class PassportDoor {
  readonly passport: Passport = new passport.Passport();
  readonly #names = new Set<string>();

  use(name: string, adapter: StrategyAdapter): void {
    if (this.#names.has(name)) throw new Error(`the strategy "${name}" is registered twice`);
    this.#names.add(name);
    adapter(name, this.passport);
  }

  /**
   * Takes the credential from the request. Most strategies decide at once, and then no promise is made. The strategy is
   * selected by name: if Passport gets an instance, it runs parallel requests on that one object and mixes up their
   * credentials.
   * @throws InvalidCredentialError if the strategy finds no credential or does not decide
   */
  take(name: string, request: FastifyRequest): string | Promise<string> {
    let outcome: { readonly credential: string } | { readonly error: unknown } | undefined;
    let later: (() => void) | undefined;
    const decide = (decided: NonNullable<typeof outcome>) => {
      // A strategy decides once.
      outcome ??= decided;
      later?.();
    };
    const done = (error: unknown, credential?: unknown, info?: unknown) => {
      if (error) decide({ error });
      else if (typeof credential === 'string' && credential !== '') decide({ credential });
      else
        decide({
          error: new InvalidCredentialError(info instanceof Error ? info.message : 'no credential'),
        });
    };
    // next() means that the strategy did not decide. That is never a success.
    const next = (error?: unknown) => decide({ error: error ?? new InvalidCredentialError('not decided') });
    const handler = this.passport.authenticate(name, { session: false }, done) as (
      ...args: unknown[]
    ) => void;
    // No response object: a strategy that redirects or answers by itself fails.
    handler(request, undefined, next);
    const credential = () => {
      if ('error' in outcome!) throw outcome.error;
      return outcome!.credential;
    };
    if (outcome) return credential();
    return new Promise((resolve, reject) => {
      later = () => {
        try {
          resolve(credential());
        } catch (error) {
          reject(error);
        }
      };
    });
  }
}
