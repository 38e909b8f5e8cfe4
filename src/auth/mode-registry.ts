import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { REALM } from './auth.errors.js';
import type { AuthMode } from './auth-modes.js';
import { PassportDoor, type StrategyAdapter } from './passport.js';
import type { Principal } from './principal.js';
import type { Scope } from './scopes.js';

/** Describes a mode. */
export interface ModeDefinition {
  readonly name: AuthMode;
  /** The scheme of its challenge in WWW-Authenticate. Modes can share a scheme. */
  readonly scheme: string;
  /** The kinds of principal that its credentials can have. */
  readonly carries: 'person' | 'machine' | 'both';
  /** Whether a credential can hold this scope. A route must not require a scope that none of its modes can hold. */
  canHold(scope: Scope): boolean;
  /** Whether browsers send the credential by themselves (a cookie). An explicit credential takes precedence over it. */
  readonly ambient: boolean;
  /** Request headers with an explicit credential. `Authorization` always counts as one (RFC 9110 11.6.2). */
  readonly credentialHeaders: readonly string[];
  /** Other request headers that its clients send with writes. CORS allows them, and OpenAPI lists them. */
  readonly furtherHeaders?: readonly string[];
  /** Passport strategies by name. Each takes the credential from the request. */
  readonly strategies: Readonly<Record<string, StrategyAdapter>>;
  /**
   * The name of the strategy that can take the credential from the request, or undefined if there is none. Reads only
   * the headers, without I/O. A malformed credential is present too.
   */
  present(request: FastifyRequest): string | undefined;
  /**
   * Verifies the credential. A credential in memory needs no promise.
   * @param options `live`: check the sign-in or key behind the credential too
   * @throws InvalidCredentialError
   */
  verify(credential: string, options: { live: boolean }): Principal | Promise<Principal>;
  /** Checks that need both the principal and the request. @throws ProblemError */
  afterVerification?(request: FastifyRequest, principal: Principal): void;
  /** The security scheme in the OpenAPI document. */
  readonly securityScheme: { type: 'http' | 'apiKey'; description: string } & Record<string, string>;
}

/** The modes of this application. Each registers itself when its module starts. */
@Injectable()
export class ModeRegistry {
  readonly door = new PassportDoor();
  readonly #modes = new Map<AuthMode, ModeDefinition>();
  readonly #credentialHeaders = new Set(['authorization']);
  #sorted: readonly ModeDefinition[] = [];
  #requestHeaders: readonly string[] = [];

  register(mode: ModeDefinition): void {
    if (this.#modes.has(mode.name)) throw new Error(`the mode "${mode.name}" is registered twice`);
    for (const [name, adapter] of Object.entries(mode.strategies)) this.door.use(name, adapter);
    this.#modes.set(mode.name, mode);
    // Clients see this order, so it must not depend on the order in which modules start.
    this.#sorted = [...this.#modes.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (const header of mode.credentialHeaders) this.#credentialHeaders.add(header.toLowerCase());
    const headers = this.#sorted.flatMap((one) => [...one.credentialHeaders, ...(one.furtherHeaders ?? [])]);
    this.#requestHeaders = [...new Set(headers)];
  }

  get(name: AuthMode): ModeDefinition {
    const mode = this.#modes.get(name);
    if (!mode) throw new Error(`the mode "${name}" is not registered`);
    return mode;
  }

  /** The challenge of a mode, without an error. */
  challengeOf(name: AuthMode): string {
    return `${this.get(name).scheme} ${REALM}`;
  }

  /** The challenge after an invalid credential of a mode (RFC 6750 3.1). */
  invalidChallengeOf(name: AuthMode): string {
    const challenge = this.challengeOf(name);
    return this.get(name).scheme === 'Bearer' ? `${challenge}, error="invalid_token"` : challenge;
  }

  /** The credential headers of all modes, in lower case. */
  get credentialHeaders(): ReadonlySet<string> {
    return this.#credentialHeaders;
  }

  /** The credential headers and further headers of all modes. */
  get requestHeaders(): readonly string[] {
    return this.#requestHeaders;
  }

  /** The modes whose credential is in the request, each with the strategy that takes it. */
  presentIn(request: FastifyRequest): { mode: ModeDefinition; strategy: string }[] {
    const found: { mode: ModeDefinition; strategy: string }[] = [];
    for (const mode of this.#sorted) {
      const strategy = mode.present(request);
      if (strategy !== undefined) found.push({ mode, strategy });
    }
    return found;
  }

  /** The mode of the credential in the request, of which an explicit one takes precedence. For reports only. */
  modeOf(request: FastifyRequest): AuthMode | undefined {
    const found = this.presentIn(request);
    return (found.find(({ mode }) => !mode.ambient) ?? found[0])?.mode.name;
  }

  /** All modes, sorted by name. */
  all(): readonly ModeDefinition[] {
    return this.#sorted;
  }
}
