import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { Principal } from '../../auth/principal.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { isRandomSecret, Secret, sha256, sha256Hex } from '../../platform/crypto/secret.js';
import { LookupQuery } from '../../platform/database/lookup-query.js';
import { CachedLookup } from '../../platform/revocations/cached-lookup.js';
import { RevocationFeed } from '../../platform/revocations/revocation-feed.js';
import { type Carrier, CarrierRegistry, type IssuedCredential } from '../../accounts/sign-ins/carriers.js';
import {
  authenticationOf,
  type LiveSignIn,
  LIVE_SIGN_IN_COLUMNS,
  subjectsOfSignIn,
  whyOver,
} from '../../accounts/sign-ins/live-sign-in.js';
import type { SignIn } from '../../accounts/sign-ins/sign-in.entity.js';
import { showSignIn } from '../../accounts/sign-ins/sign-in-view.js';
import { SignInsService } from '../../accounts/sign-ins/sign-ins.service.js';
import { SigningInService } from '../../accounts/sign-ins/signing-in.service.js';
import { scopesOfRoles } from '../../auth/scopes.js';
import type { User } from '../../accounts/users/user.entity.js';
import { showUser } from '../../accounts/users/user-view.js';
import { Session } from './session.entity.js';
import { csrfTokenOf, SESSION_COOKIE, SESSION_COOKIE_OPTIONS, sessionFault } from './session-cookie.js';
import type { SessionRequest } from './sessions.schemas.js';
import { lifetime } from '../../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../../platform/config/settings.js';
import { contradictions, longerThan } from '../../platform/config/lifetimes.js';

const settings = defineSettings(
  { SESSION_IDLE_TTL: lifetime('1d'), SESSION_TTL: lifetime('7d') },
  {
    faults: (values) => contradictions(values, [['SESSION_IDLE_TTL', 'SESSION_TTL']]),
    warnings: ({ SESSION_TTL }) => longerThan(7, 'SESSION_TTL', SESSION_TTL),
  },
);

declare module '../../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

/** The sign-in of a session, with its principal. */
interface FoundSession extends LiveSignIn {
  readonly principal: Principal;
}

/** Sign-ins that are carried by a cookie. */
@Injectable()
export class SessionsService implements Carrier, OnModuleInit {
  readonly name = 'cookie';
  readonly cookies = [{ name: SESSION_COOKIE, options: SESSION_COOKIE_OPTIONS }];
  readonly #lookup: CachedLookup<FoundSession>;
  readonly #findRows: LookupQuery<LiveSignIn & { hash: string }>;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly carriers: CarrierRegistry,
    private readonly signingIn: SigningInService,
    private readonly signIns: SignInsService,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    feed: RevocationFeed,
  ) {
    this.#findRows = new LookupQuery(
      dataSource,
      config,
      `SELECT encode(c.secret_hash, 'hex') AS hash, ${LIVE_SIGN_IN_COLUMNS}
       FROM sessions c JOIN sign_ins s ON s.id = c.sign_in_id JOIN users u ON u.id = s.user_id
       WHERE c.secret_hash = ANY($1::bytea[])`,
    );
    this.#lookup = new CachedLookup(
      feed,
      // Other nodes move the idle expiry too, so a cached row must not be older than the idle time.
      {
        ...config,
        CREDENTIAL_CACHE_TTL: Math.min(config.CREDENTIAL_CACHE_TTL, config.SESSION_IDLE_TTL),
      },
      (hashes) => this.#query(hashes),
      subjectsOfSignIn,
    );
  }

  onModuleInit(): void {
    this.carriers.register(this);
  }

  /**
   * Signs in. The sessions of cookies in the request end (against fixation, ASVS 7.2.4).
   * @throws InvalidCredentialError
   */
  signIn(request: SessionRequest, presented: string[]): Promise<IssuedCredential> {
    return this.signingIn.signIn(request, {
      carrier: this.name,
      lifetimes: { idle: this.config.SESSION_IDLE_TTL, absolute: this.config.SESSION_TTL },
      attach: async (manager, signIn, user) => {
        const secret = Secret.random();
        await this.#end(manager, presented.filter(isRandomSecret));
        await manager.insert(Session, { signInId: signIn.id, secretHash: secret.hash() });
        const { body, cookies } = this.#issue(secret, signIn);
        return { body: { ...body, user: showUser(user) }, cookies };
      },
    });
  }

  async renew(manager: EntityManager, signIn: SignIn, _user: User): Promise<IssuedCredential> {
    const secret = Secret.random();
    await manager.update(Session, { signInId: signIn.id }, { secretHash: secret.hash() });
    return this.#issue(secret, signIn);
  }

  /**
   * Returns the principal of a cookie. A malformed secret is refused without a query.
   * @throws InvalidCredentialError
   */
  verify(secret: string): Principal | Promise<Principal> {
    const fault = sessionFault(secret);
    if (fault) throw new InvalidCredentialError(fault);
    return this.#lookup.use(sha256Hex(secret), (found) => this.#check(found));
  }

  #check(session: FoundSession | undefined): Principal {
    if (!session) throw new InvalidCredentialError('unknown session');
    const reason = whyOver(session, this.clock.now());
    if (reason) throw new InvalidCredentialError(reason);
    this.signIns.seen(session, this.config.SESSION_IDLE_TTL);
    return session.principal;
  }

  /** Only the cookie contains the secret (ASVS 3.3.4). */
  #issue(secret: Secret, signIn: SignIn): IssuedCredential {
    const maxAge = Math.max(0, Math.floor((signIn.expiresAt.getTime() - this.clock.now().getTime()) / 1000));
    return {
      body: { session: showSignIn(signIn, signIn.id), csrfToken: csrfTokenOf(secret.reveal()) },
      cookies: [
        { name: SESSION_COOKIE, value: secret.reveal(), options: { ...SESSION_COOKIE_OPTIONS, maxAge } },
      ],
    };
  }

  async #end(manager: EntityManager, secrets: string[]): Promise<void> {
    if (secrets.length === 0) return;
    const rows: { id: string }[] = await manager.query(
      'SELECT sign_in_id AS id FROM sessions WHERE secret_hash = ANY($1::bytea[])',
      [secrets.map(sha256)],
    );
    await this.signIns.endThese(
      manager,
      rows.map(({ id }) => id),
      'signed in again',
    );
  }

  async #query(hashes: string[]): Promise<Map<string, FoundSession>> {
    const rows = await this.#findRows.rows(hashes.map((hash) => Buffer.from(hash, 'hex')));
    return new Map(rows.map((row) => [row.hash, { ...row, principal: principalOf(row) }]));
  }
}

const principalOf = (signIn: LiveSignIn): Principal =>
  new Principal({
    mode: 'session',
    kind: 'person',
    subject: signIn.userId,
    credentialId: signIn.id,
    signInId: signIn.id,
    scopes: scopesOfRoles(signIn.roles),
    ...authenticationOf(signIn),
  });
