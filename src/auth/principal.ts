import type { AuthMode } from './auth-modes.js';
import type { Scope } from './scopes.js';

export interface PrincipalFields {
  mode: AuthMode;
  /** A person signed in; a machine presented a key, or a token exchanged for one. */
  kind: 'person' | 'machine';
  /** The user that the credential speaks for. */
  userId: string;
  /** What a revocation names: the id of the sign-in, the `jti` of a token, the id of a key. */
  credentialId: string;
  /** The sign-in that carries a person. */
  signInId?: string;
  scopes: Iterable<Scope>;
  /** When the person last proved who they are. */
  authTime?: Date;
  /** How, as RFC 8176 names it. */
  amr?: readonly string[];
}

/** Who makes this request, and what they may do: all that is left of a credential behind the guard. */
export class Principal {
  readonly mode: AuthMode;
  readonly kind: 'person' | 'machine';
  readonly userId: string;
  readonly credentialId: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly authTime: Date | undefined;
  readonly amr: readonly string[];
  readonly #signInId: string | undefined;

  constructor(fields: PrincipalFields) {
    this.mode = fields.mode;
    this.kind = fields.kind;
    this.userId = fields.userId;
    this.credentialId = fields.credentialId;
    this.#signInId = fields.signInId;
    this.scopes = new Set(fields.scopes);
    this.authTime = fields.authTime;
    this.amr = Object.freeze([...(fields.amr ?? [])]);
    Object.freeze(this);
  }

  /** The sign-in behind a person. @throws on a machine: such a route must declare `modes: 'person'` */
  get signInId(): string {
    if (this.#signInId === undefined) throw new Error('this route needs a person, and must declare it');
    return this.#signInId;
  }

  can(scope: Scope): boolean {
    return this.scopes.has(scope);
  }

  /** Those of `scopes` that are not held, all of them, so that one answer names them. */
  missing(scopes: Iterable<Scope>): Scope[] {
    return [...scopes].filter((scope) => !this.scopes.has(scope));
  }
}
