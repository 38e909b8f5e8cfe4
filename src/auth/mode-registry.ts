import { Injectable } from '@nestjs/common';
import passport, { type Strategy } from 'passport';
import type { FastifyRequest } from 'fastify';
import { REALM } from './auth.errors.js';
import type { AuthMode } from './auth-modes.js';
import type { Principal } from './principal.js';
import type { Scope } from './scopes.js';

/** What a mode tells `auth` about itself. */
export interface ModeDefinition {
  readonly name: AuthMode;
  /** The scheme of its challenge in WWW-Authenticate. Two modes may share one. */
  readonly scheme: 'Session' | 'Bearer' | 'ApiKey';
  /** Whom its credentials can stand for. */
  readonly carries: 'person' | 'machine' | 'both';
  /** Whether one of its credentials can ever hold this scope: a route that asks for one that none can is a mistake. */
  canHold(scope: Scope): boolean;
  /** A cookie comes along without being asked: any explicit credential wins over it. */
  readonly ambient: boolean;
  /** Passport strategies by name; each succeeds with a Principal or throws InvalidCredentialError. */
  readonly strategies: Readonly<Record<string, Strategy>>;
  /** The strategy to run if the request presents a credential of this mode, from its headers alone, without I/O. */
  presented(request: FastifyRequest): string | undefined;
  /**
   * Looks again at what stands behind a verified credential, for routes that declare `live`; throws
   * InvalidCredentialError. A mode whose every verification does so has none.
   */
  seeAlive?(principal: Principal): Promise<Principal>;
  /** Checks that need the verified principal and the request; throws a problem. */
  afterVerification?(request: FastifyRequest, principal: Principal): void;
  /** How OpenAPI describes it. */
  readonly securityScheme: { type: 'http' | 'apiKey'; description: string } & Record<string, string>;
}

/** The modes of this application. Each registers itself when its module starts. */
@Injectable()
export class ModeRegistry {
  /** One per application: PassportStrategy's own registry is a singleton of the process, which two applications would share. */
  readonly passport = new passport.Passport();
  readonly #modes = new Map<AuthMode, ModeDefinition>();

  register(mode: ModeDefinition): void {
    if (this.#modes.has(mode.name)) throw new Error(`the mode "${mode.name}" is registered twice`);
    // By name: the order in which modules start changes with any of their imports, and clients see this one.
    const modes = [...this.#modes.values(), mode].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    this.#modes.clear();
    for (const one of modes) this.#modes.set(one.name, one);
    // By name: given an instance, passport runs parallel requests on that one object and mixes up their users.
    for (const [name, strategy] of Object.entries(mode.strategies)) this.passport.use(name, strategy);
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

  all(): ModeDefinition[] {
    return [...this.#modes.values()];
  }
}
