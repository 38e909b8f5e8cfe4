import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { ownAudience } from '../../auth/audiences.js';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { Principal } from '../../auth/principal.js';
import { type Scope, scopesOfRoles } from '../../auth/scopes.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { isRandomSecret, Secret, sha256Hex } from '../../platform/crypto/secret.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { LookupQuery } from '../../platform/database/lookup-query.js';
import { CachedLookup } from '../../platform/revocations/cached-lookup.js';
import { RevocationFeed } from '../../platform/revocations/revocation-feed.js';
import { RevocationsService } from '../../platform/revocations/revocations.service.js';
import {
  acrOf,
  authenticationOf,
  type LiveSignIn,
  LIVE_SIGN_IN_COLUMNS,
  subjectsOfSignIn,
  whyOver,
} from '../../accounts/sign-ins/live-sign-in.js';
import { OPAQUE_PREFIX } from '../tokens/bearer.js';
import type { Grant } from '../tokens/token-grant.entity.js';
import type {
  ActiveToken,
  IssuedAccessToken,
  RevocableToken,
  TokenKind,
  TokenSignIn,
} from '../tokens/token-kinds.js';
import { OpaqueToken } from './opaque-token.entity.js';

const seconds = (time: Date) => Math.floor(time.getTime() / 1000);

/** The words of the log, also for `npm run inspect`. Undefined for a text with the form of a token. */
export const opaqueTokenFault = (text: string): string | undefined =>
  text.startsWith(OPAQUE_PREFIX) && isRandomSecret(text.slice(OPAQUE_PREFIX.length))
    ? undefined
    : 'malformed opaque token';

/** A token with its sign-in. `id` and `authTime` are those of the sign-in. */
interface TokenRow extends LiveSignIn {
  hash: string;
  jti: string;
  scopes: string[];
  audience: string;
  clientId: string;
  issuedFor: Date;
  issuedAt: Date;
  tokenExpiresAt: Date;
  revokedAt: Date | null;
}

interface FoundToken extends TokenRow {
  readonly principal: Principal;
}

/** Opaque access tokens: all data is looked up by their hash. */
@Injectable()
export class OpaqueTokensService implements TokenKind {
  readonly name = 'opaque';
  readonly #lookup: CachedLookup<FoundToken>;
  readonly #findRows: LookupQuery<TokenRow>;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly revocations: RevocationsService,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
    feed: RevocationFeed,
  ) {
    this.#findRows = new LookupQuery(
      dataSource,
      config,
      `SELECT ${LIVE_SIGN_IN_COLUMNS}, encode(t.token_hash, 'hex') AS hash, t.id AS jti, t.scopes, t.audience,
         t.client_id AS "clientId", t.auth_time AS "issuedFor", t.issued_at AS "issuedAt",
         t.expires_at AS "tokenExpiresAt", t.revoked_at AS "revokedAt"
       FROM access_tokens t JOIN sign_ins s ON s.id = t.sign_in_id JOIN users u ON u.id = s.user_id
       WHERE t.token_hash = ANY($1::bytea[])`,
    );
    this.#lookup = new CachedLookup(
      feed,
      config,
      (hashes) => this.#query(hashes),
      (token) => [token.jti, ...subjectsOfSignIn(token)],
    );
  }

  recognises(text: string): boolean {
    return text.startsWith(OPAQUE_PREFIX);
  }

  async issue(
    signIn: TokenSignIn,
    grant: Grant,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<IssuedAccessToken> {
    const secret = Secret.random(OPAQUE_PREFIX);
    const id = uuidv7();
    const issuedAt = this.clock.now();
    const latest = Math.min(issuedAt.getTime() + this.config.ACCESS_TOKEN_TTL, signIn.expiresAt.getTime());
    const expiresAt = new Date(latest);
    await manager.insert(OpaqueToken, {
      tokenHash: secret.hash(),
      id,
      signInId: signIn.id,
      scopes: grant.scopes,
      audience: grant.audience,
      clientId: grant.clientId,
      authTime: signIn.authTime,
      issuedAt,
      expiresAt,
    });
    const facts = { userId: signIn.userId, credentialId: id, signInId: signIn.id };
    await this.log.record(manager, 'token.issued', facts);
    return {
      text: secret.reveal(),
      lifetimeSeconds: Math.floor((expiresAt.getTime() - issuedAt.getTime()) / 1000),
    };
  }

  /** Returns the principal of a token for this server. @throws InvalidCredentialError */
  verify(text: string): Principal | Promise<Principal> {
    const found = this.#find(text);
    return found instanceof Promise
      ? found.then((token) => this.#principalOf(token))
      : this.#principalOf(found);
  }

  #principalOf({ audience, principal }: FoundToken): Principal {
    // The first configured audience is this server.
    if (audience !== ownAudience(this.config)) throw new InvalidCredentialError('token for another audience');
    return principal;
  }

  async find(text: string): Promise<ActiveToken | undefined> {
    try {
      const found = await this.#find(text);
      const { jti, userId, clientId, audience: aud, id: sid } = found;
      return {
        subject: userId,
        members: {
          token_type: 'Bearer',
          scope: scopesOf(found).join(' '),
          client_id: clientId,
          jti,
          aud,
          iat: seconds(found.issuedAt),
          exp: seconds(found.tokenExpiresAt),
          sid,
          auth_time: seconds(found.authTime),
          amr: found.amr,
          acr: acrOf(found.secondFactorAt),
        },
      };
    } catch (error) {
      if (error instanceof InvalidCredentialError) return undefined;
      throw error;
    }
  }

  async findToRevoke(text: string): Promise<RevocableToken | undefined> {
    const found = opaqueTokenFault(text) ? undefined : await this.#lookup.find(sha256Hex(text));
    if (!found || found.revokedAt !== null) return undefined;
    const { jti, userId } = found;
    return { subject: userId, credentialId: jti, revoke: (manager) => this.#revoke(manager, jti, userId) };
  }

  /** Finds a valid token of any audience. A malformed token is refused without a query. @throws InvalidCredentialError */
  #find(text: string): FoundToken | Promise<FoundToken> {
    const fault = opaqueTokenFault(text);
    if (fault) throw new InvalidCredentialError(fault);
    return this.#lookup.use(sha256Hex(text), (found) => this.#check(found));
  }

  #check(found: FoundToken | undefined): FoundToken {
    if (!found) throw new InvalidCredentialError('unknown opaque token');
    const reason = whyRefused(found, this.clock.now());
    if (reason) throw new InvalidCredentialError(reason);
    return found;
  }

  async #revoke(manager: EntityManager, id: string, account: string): Promise<void> {
    await manager.update(OpaqueToken, { id, revokedAt: IsNull() }, { revokedAt: this.clock.now() });
    await this.revocations.announce(manager, [{ kind: 'token', subject: id, account }]);
  }

  async #query(hashes: string[]): Promise<Map<string, FoundToken>> {
    const rows = await this.#findRows.rows(hashes.map((hash) => Buffer.from(hash, 'hex')));
    return new Map(rows.map((row) => [row.hash, { ...row, principal: principalOf(row) }]));
  }
}

const principalOf = (token: TokenRow): Principal =>
  new Principal({
    mode: 'opaque',
    kind: 'person',
    subject: token.userId,
    credentialId: token.jti,
    signInId: token.id,
    scopes: scopesOf(token),
    ...authenticationOf(token),
  });

/** The granted scopes that the user's roles still allow. */
const scopesOf = ({ scopes, roles }: TokenRow): Scope[] =>
  scopesOfRoles(roles).filter((scope) => scopes.includes(scope));

function whyRefused(token: TokenRow, now: Date): string | undefined {
  if (token.revokedAt !== null) return 'token revoked';
  if (token.tokenExpiresAt <= now) return 'token expired';
  if (token.issuedFor.getTime() !== token.authTime.getTime())
    return 'token from before the last proof of identity';
  return whyOver(token, now);
}
