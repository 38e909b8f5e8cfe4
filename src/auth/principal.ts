import type { AuthMode } from './auth-modes.js';
import type { Scope } from './scopes.js';

/**
 * A person signed in. A machine presented a person's key, or a token exchanged for one; a service account presented one
 * of its own, and no person is behind it.
 */
export type PrincipalKind = 'person' | 'machine' | 'service-account';

export interface PrincipalFields {
  mode: AuthMode;
  kind: PrincipalKind;
  /** Whom the credential speaks for, and whose rows it sees: the id of a user or of a service account. */
  subject: string;
  /** What a revocation names: the id of the sign-in, the `jti` of a token, the id of a key. */
  credentialId: string;
  /** The sign-in that carries a person. */
  signInId?: string;
  /** The key that carries a machine, also behind a token. */
  keyId?: string;
  /** What a key is narrowed to, such as `orders/<id>`; all that its scopes allow unless named. */
  resources?: readonly string[] | undefined;
  scopes: Iterable<Scope>;
  /** When the person last proved who they are. */
  authTime?: Date;
  /** How, as RFC 8176 names it. */
  amr?: readonly string[];
}

export interface PrincipalFacts {
  readonly mode: AuthMode;
  readonly userId?: string;
  readonly serviceAccountId?: string;
  readonly credentialId: string;
  readonly keyId?: string;
}

/** Who makes this request, and what they may do: all that is left of a credential behind the guard. */
export class Principal {
  readonly mode: AuthMode;
  readonly kind: PrincipalKind;
  readonly subject: string;
  readonly credentialId: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly authTime: Date | undefined;
  readonly amr: readonly string[];
  readonly keyId: string | undefined;
  readonly #resources: ReadonlySet<string> | undefined;
  readonly #signInId: string | undefined;

  constructor(fields: PrincipalFields) {
    this.mode = fields.mode;
    this.kind = fields.kind;
    this.subject = fields.subject;
    this.credentialId = fields.credentialId;
    this.#signInId = fields.signInId;
    this.keyId = fields.keyId;
    this.#resources = fields.resources && new Set(fields.resources);
    this.scopes = new Set(fields.scopes);
    this.authTime = fields.authTime;
    this.amr = Object.freeze([...(fields.amr ?? [])]);
    Object.freeze(this);
  }

  /** The user behind a person or a machine. A route that reads it declares a person, or `user: true`. */
  get userId(): string {
    return present(this.kind === 'service-account' ? undefined : this.subject, 'user: true');
  }

  /** The sign-in behind a person. A route that reads it declares a person. */
  get signInId(): string {
    return present(this.#signInId, "modes: 'person'");
  }

  can(scope: Scope): boolean {
    return this.scopes.has(scope);
  }

  /** Whether a route may be about this resource: one of those that a key is narrowed to. Undefined: about none of them. */
  mayReach(resource: string | undefined): boolean {
    return this.#resources === undefined || (resource !== undefined && this.#resources.has(resource));
  }

  /** Who this is, for a line in a log. */
  get facts(): PrincipalFacts {
    const { mode, kind, subject, credentialId, keyId } = this;
    return {
      mode,
      ...(kind === 'service-account' ? { serviceAccountId: subject } : { userId: subject }),
      credentialId,
      ...(keyId !== undefined && keyId !== credentialId && { keyId }),
    };
  }

  /** Those of `scopes` that are not held, all of them, so that one answer names them. */
  missing(scopes: Iterable<Scope>): Scope[] {
    return [...scopes].filter((scope) => !this.scopes.has(scope));
  }
}

/** Refusing a request is the guard's work, by what the route declares: here a missing declaration is a programming error. */
function present(value: string | undefined, declaration: string): string {
  if (value === undefined) throw new Error(`this route must declare ${declaration}`);
  return value;
}
