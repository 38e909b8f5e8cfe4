import type { AuthMode } from './auth-modes.js';
import type { CallerFacts } from '../platform/logging/request-context.js';
import type { Scope } from './scopes.js';

/**
 * A person signed in. A machine uses a person's API key, or a token exchanged for it. A service account uses a key of
 * its own, which belongs to no person.
 */
export type PrincipalKind = 'person' | 'machine' | 'service-account';

/** The claim `acr`: `aal2` is a sign-in with a second factor, or with a passkey (NIST SP 800-63B). */
export type AuthenticationLevel = 'aal1' | 'aal2';

export interface PrincipalFields {
  mode: AuthMode;
  kind: PrincipalKind;
  /** The id of the user or service account. Rows belong to it. */
  subject: string;
  /** The id that a revocation uses: of the sign-in or key, or the `jti` of a token. */
  credentialId: string;
  /** The sign-in of a person. */
  signInId?: string;
  /** The API key of a machine, also if it uses a token. */
  keyId?: string;
  /** The resources that a key is narrowed to, such as `orders/<id>`. Undefined for a key that is not narrowed. */
  resources?: readonly string[] | undefined;
  scopes: Iterable<Scope>;
  /** When the person last signed in or reauthenticated. */
  authTime?: Date;
  /** How the person did so (RFC 8176). */
  amr?: readonly string[];
  /** Of a person. */
  acr?: AuthenticationLevel;
  /** When the person last used a second factor, if the credential or a look-up tells. */
  secondFactorTime?: Date | undefined;
}

/**
 * The caller of a request and its rights. After the guard, nothing else of the credential remains. The requests of a
 * credential can share one, so nothing may change it.
 */
export class Principal {
  readonly mode: AuthMode;
  readonly kind: PrincipalKind;
  readonly subject: string;
  readonly credentialId: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly authTime: Date | undefined;
  readonly amr: readonly string[];
  readonly acr: AuthenticationLevel | undefined;
  readonly secondFactorTime: Date | undefined;
  readonly keyId: string | undefined;
  /** The ids for a log entry. */
  readonly facts: CallerFacts;
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
    this.acr = fields.acr;
    this.secondFactorTime = fields.secondFactorTime;
    this.facts = factsOf(this);
    Object.freeze(this);
  }

  /** The user id of a person or machine. A route that reads it must declare a person, or `user: true`. */
  get userId(): string {
    return present(this.kind === 'service-account' ? undefined : this.subject, 'user: true');
  }

  /** The sign-in of a person. A route that reads it must declare a person. */
  get signInId(): string {
    return present(this.#signInId, "modes: 'person'");
  }

  can(scope: Scope): boolean {
    return this.scopes.has(scope);
  }

  /** Whether the credential is valid for a resource. A narrowed key is valid only for its own, never for undefined. */
  mayReach(resource: string | undefined): boolean {
    return this.#resources === undefined || (resource !== undefined && this.#resources.has(resource));
  }

  /** All of `scopes` that the principal does not hold, so that one answer can list them. */
  missing(scopes: Iterable<Scope>): Scope[] {
    return [...scopes].filter((scope) => !this.scopes.has(scope));
  }
}

function factsOf({ mode, kind, subject, credentialId, keyId }: Omit<Principal, 'facts'>): CallerFacts {
  return Object.freeze({
    mode,
    ...(kind === 'service-account' ? { serviceAccountId: subject } : { userId: subject }),
    credentialId,
    ...(keyId !== undefined && keyId !== credentialId && { keyId }),
  });
}

/** The guard refuses requests by the declaration of the route. A missing declaration is a programming error. */
function present(value: string | undefined, declaration: string): string {
  if (value === undefined) throw new Error(`this route must declare ${declaration}`);
  return value;
}
