import { type OnApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { Principal } from '../../auth/principal.js';
import { Clock } from '../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { LOGGER } from '../../platform/logging/logger.js';
import { requestContext } from '../../platform/logging/request-context.js';
import { SecurityLog } from '../../platform/logging/security-log.js';
import { WriteBehind } from '../../platform/lookup/write-behind.js';
import { type ListQuery, pageQuery, toPage } from '../../web/pagination/page.js';
import { LookupQuery } from '../../platform/database/lookup-query.js';
import { CachedLookup } from '../../platform/revocations/cached-lookup.js';
import { RevocationFeed } from '../../platform/revocations/revocation-feed.js';
import { RevocationsService } from '../../platform/revocations/revocations.service.js';
import { KnownSources } from '../attempt-limits/known-sources.js';
import { ActingSignIn } from './acting-sign-in.js';
import { type LiveSignIn, LIVE_SIGN_IN_COLUMNS, subjectsOfSignIn } from './live-sign-in.js';
import type { Proven } from './proofs.js';
import { type CarrierName, SignIn } from './sign-in.entity.js';
import { showSignIn } from './sign-in-view.js';
import type { SignInView } from './sign-ins.schemas.js';

/** Above this limit, the sign-in that was unused for the longest time ends (ASVS 7.1.2). */
export const MAX_SIGN_INS_PER_USER = 100;
const USER_AGENT_LENGTH = 512;
const SEEN_INTERVAL_MS = 5_000;

export interface Lifetimes {
  /** Milliseconds. */
  readonly idle: number;
  /** Milliseconds. */
  readonly absolute: number;
}

interface Seen {
  readonly at: Date;
  readonly idleExpiresAt: Date;
}

/** The records of sign-ins. A transaction that locks users must lock them before it ends sign-ins. */
@Injectable()
export class SignInsService implements OnApplicationShutdown {
  readonly #lookup: CachedLookup<LiveSignIn>;
  readonly #findRows: LookupQuery<LiveSignIn>;
  #seen: WriteBehind<Seen> | undefined;
  readonly #observers: ((id: string) => void)[] = [];

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly log: SecurityLog,
    private readonly revocations: RevocationsService,
    private readonly acting: ActingSignIn,
    private readonly sources: KnownSources,
    feed: RevocationFeed,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CONFIG) config: Config,
  ) {
    this.#findRows = new LookupQuery(
      dataSource,
      config,
      `SELECT ${LIVE_SIGN_IN_COLUMNS} FROM sign_ins s JOIN users u ON u.id = s.user_id WHERE s.id = ANY($1)`,
    );
    this.#lookup = new CachedLookup(feed, config, (ids) => this.#query(ids), subjectsOfSignIn);
  }

  /** Calls `observe` in the request that uses a sign-in, each time. It must be fast, and must not throw. */
  onUse(observe: (id: string) => void): void {
    this.#observers.push(observe);
  }

  /** Finds a sign-in with the current status and roles of its user. It can have ended: see `whyOver`. */
  find(id: string): Promise<LiveSignIn | undefined> {
    return this.#lookup.find(id);
  }

  /**
   * Records a sign-in, and whether its device was unknown. The caller must hold the lock of the user's row, so that the limit
   * holds in a race.
   */
  async create(
    manager: EntityManager,
    fields: { userId: string; carrier: CarrierName; proven: Proven; lifetimes: Lifetimes },
  ): Promise<{ signIn: SignIn; newDevice: boolean }> {
    const now = this.clock.now();
    const context = requestContext();
    const expiresAt = new Date(now.getTime() + fields.lifetimes.absolute);
    const signIn = manager.create(SignIn, {
      id: uuidv7(),
      userId: fields.userId,
      carrier: fields.carrier,
      amr: [...fields.proven.amr],
      authTime: now,
      secondFactorAt: fields.proven.secondFactor ? now : null,
      createdAt: now,
      lastSeenAt: now,
      idleExpiresAt: new Date(Math.min(now.getTime() + fields.lifetimes.idle, expiresAt.getTime())),
      expiresAt,
      ip: context?.ip ?? null,
      userAgent: context?.userAgent?.slice(0, USER_AGENT_LENGTH) ?? null,
      endedAt: null,
      endReason: null,
    });
    await manager.insert(SignIn, signIn);
    const newDevice = await this.sources.remember(manager, fields.userId);
    await this.#end(
      manager,
      `id IN (SELECT id FROM sign_ins WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $3 AND idle_expires_at > $3
              ORDER BY last_seen_at DESC, id DESC OFFSET $2)`,
      [fields.userId, MAX_SIGN_INS_PER_USER],
      'too many sign-ins',
    );
    return { signIn, newDevice };
  }

  /** The active sign-ins of a user, newest first. */
  async page(userId: string, currentId: string, query: ListQuery) {
    const { limit, after } = pageQuery(query);
    const rows = this.dataSource
      .createQueryBuilder(SignIn, 's')
      .where('s.userId = :userId AND s.endedAt IS NULL AND s.expiresAt > :now AND s.idleExpiresAt > :now', {
        userId,
        now: this.clock.now(),
      });
    if (after) rows.andWhere('s.id < :after', { after });
    const found = await rows
      .orderBy('s.id', 'DESC')
      .limit(limit + 1)
      .getMany();
    return toPage(found, limit, (signIn) => showSignIn(signIn, currentId));
  }

  async show(id: string): Promise<SignInView> {
    return showSignIn(await this.dataSource.manager.findOneByOrFail(SignIn, { id }), id);
  }

  /**
   * Records the use of a sign-in and moves its idle expiry to `idle` milliseconds from now. `signIn`, which can be cached,
   * is changed at once. The table is updated in batches.
   */
  seen(signIn: LiveSignIn, idle: number): void {
    const at = this.clock.now();
    const idleExpiresAt = new Date(at.getTime() + idle);
    if (idleExpiresAt > signIn.idleExpiresAt) signIn.idleExpiresAt = idleExpiresAt;
    this.#seen ??= new WriteBehind(
      // Often enough that a sign-in in use never looks idle, also with a short idle time.
      Math.min(SEEN_INTERVAL_MS, idle / 4),
      (entries) => this.#writeSeen(entries),
      (error) =>
        this.logger.error({ err: error }, 'could not write when sign-ins were last seen, will try again'),
    );
    this.#seen.set(signIn.id, { at, idleExpiresAt });
    for (const observe of this.#observers) observe(signIn.id);
  }

  /**
   * Sets the authentication time to now, and adds what was proved. Returns undefined if the sign-in has ended, or was
   * renewed after `before`: of two parallel renewals only one succeeds, so that no client gets secrets that are already
   * replaced.
   * @param proven with `identity`, the person proved who they are; without, the sign-in does not become more recent
   */
  async renewAuthTime(
    manager: EntityManager,
    id: string,
    before: Date | undefined,
    proven: (Proven & { readonly identity: boolean }) | undefined,
  ): Promise<SignIn | undefined> {
    const now = this.clock.now();
    // At least one second later: tokens carry whole seconds, and earlier tokens must not look like new ones.
    const [rows] = await manager.query(
      `UPDATE sign_ins SET last_seen_at = $2,
         auth_time = greatest(CASE WHEN $4 THEN $2 END, date_trunc('second', auth_time) + interval '1 second'),
         second_factor_at = CASE WHEN $5 THEN $2 ELSE second_factor_at END,
         amr = amr || ARRAY(SELECT added FROM unnest($6::text[]) WITH ORDINALITY AS p (added, place)
                            WHERE added <> ALL (amr) ORDER BY place)
       WHERE id = $1 AND date_trunc('second', auth_time) = date_trunc('second', $3::timestamptz) AND ended_at IS NULL AND expires_at > $2 AND idle_expires_at > $2 RETURNING id`,
      [id, now, before, proven?.identity ?? false, proven?.secondFactor ?? false, proven?.amr ?? []],
    );
    if (rows.length === 0) return undefined;
    const signIn = await manager.findOneByOrFail(SignIn, { id });
    await this.revocations.announce(manager, [
      { kind: 'renewal', subject: id, account: signIn.userId, since: signIn.authTime },
    ]);
    return signIn;
  }

  /**
   * Ends one sign-in of a user, on every node. Returns false if there was none.
   * @param by the acting person, if the sign-in can be another one than their current one
   */
  async end(userId: string, id: string, reason: string, by?: Principal): Promise<boolean> {
    return this.dataSource.transaction(async (manager) => {
      if (by) await this.acting.lock(manager, by, ['sessions:write']);
      const ended = await this.#end(manager, 'user_id = $1 AND id = $2', [userId, id], reason);
      if (ended > 0) await this.log.record(manager, 'sign-in.ended', { userId, credentialId: id, reason });
      return ended > 0;
    });
  }

  /** Ends all other sign-ins of the acting person. */
  async endOthers(principal: Principal): Promise<void> {
    const { userId, signInId } = principal;
    await this.dataSource.transaction(async (manager) => {
      await this.acting.lock(manager, principal, ['sessions:write']);
      await this.endAll(manager, userId, 'ended by the user', signInId);
    });
  }

  /** Ends all sign-ins of a user except `except`, on every node. Returns their number. */
  async endAll(manager: EntityManager, userId: string, reason: string, except?: string): Promise<number> {
    const count = await this.#end(
      manager,
      'user_id = $1 AND id IS DISTINCT FROM $2',
      [userId, except ?? null],
      reason,
    );
    await this.log.record(manager, 'sign-in.all-ended', { userId, reason, count });
    return count;
  }

  /** Ends sign-ins of any user. The caller must have checked their secrets. */
  async endThese(manager: EntityManager, ids: readonly string[], reason: string): Promise<void> {
    if (ids.length > 0)
      await this.#end(manager, 'id = ANY($1::uuid[]) AND $2::text IS NULL', [ids, null], reason);
  }

  /** Ends the sign-ins that `which` selects by its two parameters. Includes idle ones: their last use can be unwritten. */
  async #end(manager: EntityManager, which: string, parameters: unknown[], reason: string): Promise<number> {
    const [rows]: [{ id: string; userId: string }[]] = await manager.query(
      `UPDATE sign_ins SET ended_at = $3, end_reason = $4
       WHERE ${which} AND ended_at IS NULL AND expires_at > $3 RETURNING id, user_id AS "userId"`,
      [...parameters, this.clock.now(), reason],
    );
    await this.revocations.announce(
      manager,
      rows.map(({ id, userId }) => ({ kind: 'sign-in', subject: id, account: userId })),
    );
    return rows.length;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#seen?.stop();
  }

  /** Updates active sign-ins only, so that an ended one cannot become active again. Skips locked rows. */
  async #writeSeen(entries: Map<string, Seen>): Promise<void> {
    const seen = [...entries];
    await this.dataSource.query(
      `UPDATE sign_ins s SET last_seen_at = greatest(s.last_seen_at, v.at),
         idle_expires_at = least(s.expires_at, greatest(s.idle_expires_at, v.idle))
       FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS v (id, at, idle)
       WHERE s.id = v.id AND s.ended_at IS NULL
         AND s.id IN (SELECT id FROM sign_ins WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)`,
      [
        seen.map(([id]) => id),
        seen.map(([, { at }]) => at),
        seen.map(([, { idleExpiresAt }]) => idleExpiresAt),
      ],
    );
  }

  async #query(ids: string[]): Promise<Map<string, LiveSignIn>> {
    const rows = await this.#findRows.rows(ids);
    return new Map(rows.map((row) => [row.id, row]));
  }
}
