/** A person of the simulation. */
export interface Owner {
  readonly id: string;
  readonly email: string;
  password: string;
  /** Since when, in milliseconds of this process. */
  disabledSince?: number | undefined;
  /** The code of the authenticator app, once one is enrolled. */
  codeAt?: (at: Date) => string;
}

/** A sign-in or an API key: what credentials depend on. */
export interface Basis {
  readonly id: string;
  readonly owner: Owner;
  /** When the answer to its revocation arrived. */
  over?: number;
  /** Of a key. */
  readonly key?: string;
  /** Of a sign-in by token, the newest last. */
  readonly refreshTokens: string[];
}

export interface Credential {
  readonly kind: 'session' | 'jwt' | 'opaque' | 'api key' | "key's jwt";
  readonly basis: Basis;
  readonly headers: Record<string, string>;
  /** What it was given. */
  scopes: readonly string[];
  /** When its scopes were narrowed. */
  narrowed?: { readonly at: number; readonly from: readonly string[] };
  /** In seconds of the clock of the nodes. */
  readonly expiresAt: number;
  /** When this credential alone was replaced or revoked. */
  over?: number;
  /** Nothing is promised of it: it can be accepted or refused. */
  isOpen?: boolean;
}

/** Clocks of nodes differ by up to two seconds. */
const NEAR_SECONDS = 6;

/** What must hold, whatever node is asked. */
export class Model {
  readonly owners: Owner[] = [];
  readonly bases: Basis[] = [];
  readonly credentials: Credential[] = [];
  /** By how many seconds the clocks of the nodes are ahead. */
  ahead = 0;

  now(): number {
    return Date.now() / 1000 + this.ahead;
  }

  end(basis: Basis): void {
    basis.over ??= performance.now();
  }

  endSignIns(owner: Owner, except?: Basis): void {
    for (const basis of this.bases)
      if (basis.owner === owner && basis.key === undefined && basis !== except) this.end(basis);
  }

  disable(owner: Owner): void {
    owner.disabledSince = performance.now();
    this.endSignIns(owner);
  }

  enable(owner: Owner): void {
    owner.disabledSince = undefined;
    // A key works again. Its JWTs can.
    for (const credential of this.credentials)
      if (credential.basis.owner === owner && credential.kind === "key's jwt") credential.isOpen = true;
  }

  narrow(basis: Basis, scopes: readonly string[]): void {
    for (const credential of this.credentials) {
      if (credential.basis !== basis) continue;
      if (credential.kind === "key's jwt") credential.over ??= performance.now();
      else
        Object.assign(credential, { narrowed: { at: performance.now(), from: credential.scopes }, scopes });
    }
  }

  /** Since when a credential is revoked. */
  revokedSince({ over, basis }: Credential): number | undefined {
    const times = [over, basis.over, basis.owner.disabledSince].filter((time) => time !== undefined);
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  isAlive(credential: Credential): boolean {
    const isNear = credential.expiresAt - this.now() < NEAR_SECONDS;
    return !isNear && !credential.isOpen && this.revokedSince(credential) === undefined;
  }

  /** Whether every node must refuse it, asked now. */
  isOver(credential: Credential, promiseMs: number): boolean {
    if (credential.isOpen) return false;
    if (this.now() - credential.expiresAt > NEAR_SECONDS) return true;
    const since = this.revokedSince(credential);
    return since !== undefined && performance.now() - since > promiseMs;
  }

  /** What a credential may do at most, asked now. */
  mayDo({ scopes, narrowed }: Credential, promiseMs: number): readonly string[] {
    return narrowed && performance.now() - narrowed.at <= promiseMs ? narrowed.from : scopes;
  }
}
