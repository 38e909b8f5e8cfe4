import { Inject, Injectable } from '@nestjs/common';
import { ownAudience } from '../../auth/audiences.js';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { Principal } from '../../auth/principal.js';
import { needsRole, type Scope, scopesOfRoles, userScopes } from '../../auth/scopes.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { RevocationFeed } from '../../platform/revocations/revocation-feed.js';
import { type LiveSignIn, whyOver } from '../../accounts/sign-ins/live-sign-in.js';
import { SignInsService } from '../../accounts/sign-ins/sign-ins.service.js';
import { type AccessTokenClaims, isMachine, type MachineClaims, type PersonClaims } from './access-token.js';
import { Machines } from './machines.js';
import { RevokedTokens } from './revoked-tokens.js';

/** Who a JWT stands for, once its signature and claims are right: whether it was taken back, and what is behind it. */
@Injectable()
export class JwtPrincipals {
  readonly #claims = new WeakMap<Principal, AccessTokenClaims>();

  constructor(
    private readonly signIns: SignInsService,
    private readonly machines: Machines,
    private readonly revoked: RevokedTokens,
    private readonly feed: RevocationFeed,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * The principal of the request under way. While the feed is current for the account, what was revoked is in memory, and
   * nothing is asked: a plain JWT. One with a scope of a role is never plain.
   * @throws InvalidCredentialError
   * @throws RateLimitedError for the token of a machine
   */
  async of(claims: AccessTokenClaims): Promise<Principal> {
    // Of the audiences that tokens are issued for, the first is this server (RFC 9068 4).
    if (claims.aud !== ownAudience(this.config))
      throw new InvalidCredentialError('token for another audience');
    await this.#checkRevoked(claims);
    const principal = isMachine(claims)
      ? await this.#machine(claims, true)
      : await this.#person(claims, !this.feed.isCurrentFor(claims.sub) || needsRoles(claims));
    this.#claims.set(principal, claims);
    return principal;
  }

  /** As good as the sign-in or the key behind it is now, with what its user may do now. For any of the audiences. */
  async live(claims: AccessTokenClaims): Promise<Principal> {
    await this.#checkRevoked(claims);
    return isMachine(claims) ? this.#machine(claims, false) : this.#person(claims, true);
  }

  /** Looks behind a principal that `of` made. */
  seeAlive(principal: Principal): Promise<Principal> {
    return this.live(this.#claims.get(principal)!);
  }

  async #checkRevoked(claims: AccessTokenClaims): Promise<void> {
    if (await this.revoked.has(claims)) throw new InvalidCredentialError('token revoked');
  }

  /** What binds the key binds its tokens, and only the key knows: it is looked at each time, in memory mostly. */
  async #machine(claims: MachineClaims, asRequest: boolean): Promise<Principal> {
    const machine = await this.machines.find(claims);
    if (asRequest) await machine.admit();
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

  async #person(claims: PersonClaims, look: boolean): Promise<Principal> {
    const revoked = this.#whyRevoked(claims);
    if (revoked) throw new InvalidCredentialError(revoked);
    const signIn = look ? await this.#aliveSignIn(claims) : undefined;
    return new Principal({
      mode: 'jwt',
      kind: 'person',
      subject: claims.sub,
      credentialId: claims.jti,
      signInId: claims.sid,
      scopes: scopesOf(claims, signIn && scopesOfRoles(signIn.roles)),
      authTime: new Date(claims.auth_time * 1000),
      amr: claims.amr,
    });
  }

  #whyRevoked(claims: PersonClaims): string | undefined {
    if (this.feed.revokedUntil('sign-in', claims.sid) === Infinity) return 'sign-in ended';
    // A changed password and a reauthentication renew the time: tokens from before end with the secrets from before.
    const renewed = Math.floor(this.feed.revokedUntil('renewal', claims.sid) / 1000);
    return claims.auth_time < renewed ? 'token from before the last proof of identity' : undefined;
  }

  async #aliveSignIn(claims: PersonClaims): Promise<LiveSignIn> {
    const signIn = await this.signIns.find(claims.sid);
    if (!signIn) throw new InvalidCredentialError('sign-in unknown');
    const reason = whyOver(signIn, this.clock.now()) ?? mismatch(claims, signIn);
    if (reason) throw new InvalidCredentialError(reason);
    return signIn;
  }
}

/** A role can be lost while a token lives: a scope that needs one is never believed on the token's word alone. */
const needsRoles = ({ scope }: PersonClaims): boolean => scope.split(' ').some(needsRole);

/** What the token says and the user's roles still allow; without a look at the roles, no scope of a role. */
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
