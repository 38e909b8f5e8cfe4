import { Inject, Injectable } from '@nestjs/common';
import { ownAudience } from '../../auth/audiences.js';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { Principal, type PrincipalFields } from '../../auth/principal.js';
import { needsRole, type Scope, scopesOfRoles, userScopes } from '../../auth/scopes.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { RevocationFeed } from '../../platform/revocations/revocation-feed.js';
import { type LiveSignIn, whyOver } from '../../accounts/sign-ins/live-sign-in.js';
import { SignInsService } from '../../accounts/sign-ins/sign-ins.service.js';
import { type AccessTokenClaims, isMachine, type MachineClaims, type PersonClaims } from './access-token.js';
import { RevokedTokens } from './revoked-tokens.js';

/** The valid credential that the token of a machine was exchanged for. */
interface Machine extends Pick<PrincipalFields, 'resources'> {
  readonly kind: 'machine' | 'service-account';
  /** Checks the limits of the credential for the current request. @throws ProblemError */
  admit(): void | Promise<void>;
}

/** Finds the credential behind a token. @throws InvalidCredentialError if it is no longer valid */
type FindMachine = (claims: MachineClaims) => Machine | Promise<Machine>;

/** Turns verified claims into a principal. Checks revocations and the sign-in or key behind the token. */
@Injectable()
export class JwtPrincipals {
  /** The principals of verified claims without a scope of a role. The others need a look-up. */
  readonly #people = new WeakMap<PersonClaims, Principal>();
  #findMachine: FindMachine = async () => {
    throw new InvalidCredentialError('no room issues tokens for machines');
  };

  constructor(
    private readonly signIns: SignInsService,
    private readonly revoked: RevokedTokens,
    private readonly feed: RevocationFeed,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** For the room that issues tokens for machines. */
  registerMachines(find: FindMachine): void {
    this.#findMachine = find;
  }

  /**
   * Returns the principal of the current request. While the revocation feed is current for the account, this needs no
   * query, except with `live` or a scope of a role: both look up the sign-in behind the token.
   * @throws InvalidCredentialError
   * @throws RateLimitedError for the token of a machine
   */
  of(claims: AccessTokenClaims, live: boolean): Principal | Promise<Principal> {
    // The first configured audience is this server (RFC 9068 section 4).
    if (claims.aud !== ownAudience(this.config))
      throw new InvalidCredentialError('token for another audience');
    const revoked = this.revoked.has(claims);
    if (typeof revoked === 'boolean') return this.#caller(claims, revoked, live);
    return revoked.then((known) => this.#caller(claims, known, live));
  }

  #caller(claims: AccessTokenClaims, revoked: boolean, live: boolean): Principal | Promise<Principal> {
    if (revoked) throw new InvalidCredentialError('token revoked');
    if (isMachine(claims)) return this.#machine(claims, true);
    if (live || !this.feed.isCurrentFor(claims.sub)) return this.#livePerson(claims);
    this.#refuseRevoked(claims);
    const known = this.#people.get(claims);
    if (known) return known;
    if (needsRoles(claims)) return this.#livePerson(claims);
    const principal = personOf(claims, undefined);
    this.#people.set(claims, principal);
    return principal;
  }

  /** Checks the sign-in or key behind a token of any audience, and returns a principal with its current scopes. */
  async live(claims: AccessTokenClaims): Promise<Principal> {
    if (await this.revoked.has(claims)) throw new InvalidCredentialError('token revoked');
    return isMachine(claims) ? this.#machine(claims, false) : this.#livePerson(claims);
  }

  /** The limits of a key also apply to its tokens, so each request looks up the key (mostly cached). */
  async #machine(claims: MachineClaims, asRequest: boolean): Promise<Principal> {
    const found = this.#findMachine(claims);
    const machine = found instanceof Promise ? await found : found;
    const admitted = asRequest && machine.admit();
    if (admitted) await admitted;
    return new Principal({
      mode: 'jwt',
      kind: machine.kind,
      subject: claims.sub,
      credentialId: claims.jti,
      keyId: claims.client_id,
      scopes: scopesOf(claims),
      resources: machine.resources,
    });
  }

  async #livePerson(claims: PersonClaims): Promise<Principal> {
    this.#refuseRevoked(claims);
    const signIn = await this.#aliveSignIn(claims);
    this.#refuseRevoked(claims);
    return personOf(claims, signIn);
  }

  #refuseRevoked({ sid, auth_time }: PersonClaims): void {
    if (this.feed.revokedUntil('sign-in', sid) === Infinity)
      throw new InvalidCredentialError('sign-in ended');
    // A changed password or a reauthentication renews `auth_time`. Tokens with an earlier one are revoked.
    if (auth_time < Math.floor(this.feed.revokedUntil('renewal', sid) / 1000))
      throw new InvalidCredentialError('token from before the last proof of identity');
  }

  async #aliveSignIn(claims: PersonClaims): Promise<LiveSignIn> {
    const signIn = await this.signIns.find(claims.sid);
    if (!signIn) throw new InvalidCredentialError('sign-in unknown');
    const reason = whyOver(signIn, this.clock.now()) ?? mismatch(claims, signIn);
    if (reason) throw new InvalidCredentialError(reason);
    return signIn;
  }
}

/** @param signIn if it was looked up */
const personOf = (claims: PersonClaims, signIn: LiveSignIn | undefined): Principal =>
  new Principal({
    mode: 'jwt',
    kind: 'person',
    subject: claims.sub,
    credentialId: claims.jti,
    signInId: claims.sid,
    scopes: scopesOf(claims, signIn && scopesOfRoles(signIn.roles)),
    authTime: new Date(claims.auth_time * 1000),
    amr: claims.amr,
    acr: claims.acr,
    secondFactorTime: signIn?.secondFactorAt ?? undefined,
  });

/** A user can lose a role while a token lives, so the roles are checked before a scope of a role is granted. */
const needsRoles = ({ scope }: PersonClaims): boolean => scope.split(' ').some(needsRole);

/** The scopes of the token that are still allowed. Without the user's roles, no scope of a role is granted. */
function scopesOf(claims: AccessTokenClaims, allowed: readonly Scope[] = userScopes()): Scope[] {
  const granted = new Set(claims.scope.split(' '));
  return allowed.filter((scope) => granted.has(scope));
}

function mismatch(claims: PersonClaims, signIn: LiveSignIn): string | undefined {
  if (claims.sub !== signIn.userId) return 'sub is not the user of the sign-in';
  if (claims.auth_time !== Math.floor(signIn.authTime.getTime() / 1000))
    return 'token from before the last proof of identity';
  return undefined;
}
