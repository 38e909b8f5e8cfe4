import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { REALM } from './auth.errors.js';
import type { AuthMode } from './auth-modes.js';
import { PassportDoor, type StrategyAdapter } from './passport.js';
import type { Principal } from './principal.js';
import type { Scope } from './scopes.js';

/** What a mode tells `auth` about itself. */
export interface ModeDefinition {
  readonly name: AuthMode;
  /** The scheme of its challenge in WWW-Authenticate. Two modes can share one. */
  readonly scheme: string;
  /** Whom its credentials can stand for. */
  readonly carries: 'person' | 'machine' | 'both';
  /** Whether one of its credentials can ever hold this scope: a route that asks for one that none can is a mistake. */
  canHold(scope: Scope): boolean;
  /** A browser sends a cookie without being asked: any explicit credential wins over it. */
  readonly ambient: boolean;
  /** Request headers that each hold one explicit credential. `Authorization` always counts as one (RFC 9110 11.6.2). */
  readonly credentialHeaders: readonly string[];
  /** Other request headers that its clients send. CORS allows both kinds. */
  readonly furtherHeaders?: readonly string[];
  /** Passport strategies by name. Each takes the credential off the request. */
  readonly strategies: Readonly<Record<string, StrategyAdapter>>;
  /**
   * Which of its credentials the request presents, by the name of the strategy that takes it; undefined for none. It
   * decides from the headers alone, without I/O, and also names a malformed credential: that is not the lack of one.
   */
  present(request: FastifyRequest): string | undefined;
  /**
   * Verifies the one credential of the request.
   * @param options with `live`, the principal is what the sign-in or key behind the credential allows now
   * @throws InvalidCredentialError
   */
  verify(credential: string, options: { live: boolean }): Promise<Principal>;
  /** Checks that need the verified principal and the request; throws a problem. */
  afterVerification?(request: FastifyRequest, principal: Principal): void;
  /** How OpenAPI describes it. */
  readonly securityScheme: { type: 'http' | 'apiKey'; description: string } & Record<string, string>;
}

/** The modes of this application. Each registers itself when its module starts. */
@Injectable()
export class ModeRegistry {
  readonly door = new PassportDoor();
  readonly #modes = new Map<AuthMode, ModeDefinition>();
  readonly #credentialHeaders = new Set(['authorization']);
  #requestHeaders: readonly string[] = [];

  register(mode: ModeDefinition): void {
    if (this.#modes.has(mode.name)) throw new Error(`the mode "${mode.name}" is registered twice`);
    for (const [name, adapter] of Object.entries(mode.strategies)) this.door.use(name, adapter);
    // By name: the order in which modes start changes with any of their imports, and clients see this one.
    const modes = [...this.#modes.values(), mode].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    this.#modes.clear();
    for (const one of modes) this.#modes.set(one.name, one);
    for (const header of mode.credentialHeaders) this.#credentialHeaders.add(header.toLowerCase());
    const headers = modes.flatMap((one) => [...one.credentialHeaders, ...(one.furtherHeaders ?? [])]);
    this.#requestHeaders = [...new Set(headers)];
  }

  get(name: AuthMode): ModeDefinition {
    const mode = this.#modes.get(name);
    if (!mode) throw new Error(`the mode "${name}" is not registered`);
    return mode;
  }

  /** The challenge to who has a credential of a mode, and not what it takes. */
  challengeOf(name: AuthMode): string {
    return `${this.get(name).scheme} ${REALM}`;
  }

  /** The challenge to a credential of a mode that is not valid (RFC 6750 3.1). */
  invalidChallengeOf(name: AuthMode): string {
    const challenge = this.challengeOf(name);
    return this.get(name).scheme === 'Bearer' ? `${challenge}, error="invalid_token"` : challenge;
  }

  /** The headers of all modes that hold an explicit credential, in lower case. */
  get credentialHeaders(): ReadonlySet<string> {
    return this.#credentialHeaders;
  }

  /** The request headers that clients of all modes send, as their modes spell them. */
  get requestHeaders(): readonly string[] {
    return this.#requestHeaders;
  }

  all(): ModeDefinition[] {
    return [...this.#modes.values()];
  }
}
