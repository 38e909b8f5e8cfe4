import type { KeyObject } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { CryptoKey } from 'jose';
import { Repository } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../../platform/config/config.js';
import { RevocationFeed } from '../../../platform/revocations/revocation-feed.js';
import { RevocationsService } from '../../../platform/revocations/revocations.service.js';
import { type SigningAlgorithm, SigningKey, type SigningKeyStatus } from './signing-key.entity.js';
import { privateKeyOf, publicKeyOf, publishedJwk } from './signing-key.pair.js';
import type { Jwks } from './signing-keys.schemas.js';
import { fillKeys, KEYS_CHANGED, lockKeys } from './signing-keys.table.js';
import { z } from 'zod';
import { duration } from '../../../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../../../platform/config/settings.js';
import '../../../platform/crypto/encryption-secrets.js';

const HOUR_MS = 3_600_000;

const settings = defineSettings({
  JWT_ALGORITHM: z.enum(['ES256', 'EdDSA']).default('ES256'),
  // Longer than clients cache the JWKS, so that they have the next key before it signs.
  SIGNING_KEY_ROTATION: duration('90d').refine((ms) => ms >= HOUR_MS, 'must be 1h or longer'),
});

declare module '../../../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

/** Anybody can invent a `kid`, so unknown ones cause at most one query in this time. */
const LOOK_AGAIN_MS = 10_000;
/** The longest lifetime of an access token. A retired key is kept for at least this time. */
export const MAX_LIFETIME_SECONDS = 15 * 60;
/** The order of the JWKS. The active key is first, for clients that use only the first key. */
const PUBLISHED: readonly SigningKeyStatus[] = ['active', 'next', 'retired'];
/** One minute more, for late notifications and clock differences between nodes. */
export const RETIRED_KEPT_MS = MAX_LIFETIME_SECONDS * 1000 + 60_000;

export interface VerificationKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly publicKey: KeyObject;
}

interface LoadedKey extends VerificationKey {
  readonly row: SigningKey;
}

/**
 * The keys that sign access tokens. They are in PostgreSQL, and each node caches them. The cache is used while the
 * revocation feed is current and no change was announced after it was read. Otherwise the table is read first. If that
 * fails, the node neither verifies nor signs.
 */
@Injectable()
export class SigningKeysService implements OnModuleInit {
  #keys = new Map<string, LoadedKey>();
  readonly #privateKeys = new Map<string, CryptoKey>();
  /** The number of announced changes, now and when `#keys` was read. */
  #announced = 0;
  #known = -1;
  #reading: Promise<void> = Promise.resolve();
  #nextReading: Promise<void> | undefined;
  #looking: Promise<void> | undefined;
  #lookedAgainAt = -Infinity;

  constructor(
    @InjectRepository(SigningKey) private readonly rows: Repository<SigningKey>,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    private readonly feed: RevocationFeed,
    private readonly revocations: RevocationsService,
  ) {
    feed.onRevocation((revocation) => {
      if (revocation !== 'everything' && revocation[0] !== 'signing-key') return;
      this.#announced += 1;
      // Read at once, for the JWKS. If this fails, the next use of a key tries again.
      this.#reload().catch(() => undefined);
    });
  }

  /** @throws ConfigError if the configured secrets do not decrypt one of the keys */
  async onModuleInit(): Promise<void> {
    await this.#reload();
    if (!this.#withStatus('active') || !this.#withStatus('next')) await this.#makeMissing();
    const inUse = [...this.#keys.values()].filter(({ row }) => row.status !== 'retired');
    await Promise.all(inUse.map(({ row }) => this.#open(row)));
  }

  /** Returns the active key. */
  async signer(): Promise<{ kid: string; algorithm: SigningAlgorithm; privateKey: CryptoKey }> {
    if (this.#isOld) await this.#catchUp();
    // It has the other algorithm if a node with another JWT_ALGORITHM has rotated the keys.
    const key = this.#withStatus('active') ?? this.#all().find(({ row }) => row.status === 'active');
    if (!key) throw new Error('no active signing key');
    return { kid: key.kid, algorithm: key.algorithm, privateKey: await this.#open(key.row) };
  }

  /** The key of a token, if the keys in memory can be trusted now. `find` needs a promise for it. */
  known(kid: string): VerificationKey | undefined {
    return this.#isOld ? undefined : this.#current(kid);
  }

  /** Finds the key of a token. An unknown kid can be a new key of another node, so the table is read, but not each time. */
  async find(kid: string): Promise<VerificationKey | undefined> {
    if (this.#isOld) await this.#catchUp();
    if (!this.#current(kid)) await this.#lookAgain();
    return this.#current(kid);
  }

  /** Returns the public keys of all tokens that can be alive, and the next key. The active key is first. */
  jwks(): Jwks {
    const current = this.#all().filter(({ kid }) => this.#current(kid));
    return { keys: current.map(({ row }) => publishedJwk(row)) };
  }

  get #isOld(): boolean {
    return !this.feed.isCurrent || this.#known !== this.#announced;
  }

  async #catchUp(): Promise<void> {
    do await this.#reload();
    while (this.#known !== this.#announced);
  }

  #all(): LoadedKey[] {
    return [...this.#keys.values()];
  }

  #current(kid: string): LoadedKey | undefined {
    const key = this.#keys.get(kid);
    const retiredAt = key?.row.retiredAt;
    return retiredAt && retiredAt <= this.#forgottenSince() ? undefined : key;
  }

  /** All tokens of a key that retired before this time have expired. */
  #forgottenSince(): Date {
    return this.clock.in(-RETIRED_KEPT_MS);
  }

  #rank({ status, algorithm }: SigningKey): number {
    return 2 * PUBLISHED.indexOf(status) + Number(algorithm !== this.config.JWT_ALGORITHM);
  }

  #withStatus(status: SigningKeyStatus): LoadedKey | undefined {
    const { JWT_ALGORITHM } = this.config;
    return this.#all().find((key) => key.row.status === status && key.algorithm === JWT_ALGORITHM);
  }

  /** Parallel calls share one query. */
  #lookAgain(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #look(): Promise<void> {
    if (this.clock.monotonic() - this.#lookedAgainAt < LOOK_AGAIN_MS) return;
    await this.#reload();
    // Set only after success: while the database does not answer, an unknown key must cause 503 and not 401.
    this.#lookedAgainAt = this.clock.monotonic();
  }

  /** Reads the table with a query that starts after this call. Waiting calls share one query. */
  #reload(): Promise<void> {
    this.#nextReading ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#nextReading = undefined;
        this.#reading = this.#load();
        return this.#reading;
      });
    return this.#nextReading;
  }

  async #load(): Promise<void> {
    const announced = this.#announced;
    // Retired keys too: each use checks their age, because this node's clock can be wrong now.
    const rows = await this.rows.createQueryBuilder('k').orderBy('k.createdAt').addOrderBy('k.kid').getMany();
    const inOrder = rows.toSorted((a, b) => this.#rank(a) - this.#rank(b));
    const keys = inOrder.map((row): [string, LoadedKey] => {
      const { kid, algorithm } = row;
      // A kid is the thumbprint of its key, so an imported key can be used again.
      return [kid, { kid, algorithm, publicKey: this.#keys.get(kid)?.publicKey ?? publicKeyOf(row), row }];
    });
    this.#keys = new Map(keys);
    for (const kid of this.#privateKeys.keys()) if (!this.#keys.has(kid)) this.#privateKeys.delete(kid);
    this.#known = announced;
  }

  /** If several nodes start at once, one creates the keys, and all read them. */
  async #makeMissing(): Promise<void> {
    const { JWT_ALGORITHM: algorithm, ENCRYPTION_SECRETS } = this.config;
    await this.rows.manager.transaction(async (manager) => {
      await lockKeys(manager);
      const plan = { algorithm, secret: ENCRYPTION_SECRETS[0]!, now: this.clock.now() };
      if (await fillKeys(manager, plan)) await this.revocations.announce(manager, [KEYS_CHANGED]);
    });
    await this.#reload();
  }

  async #open(row: SigningKey): Promise<CryptoKey> {
    const opened = this.#privateKeys.get(row.kid);
    if (opened) return opened;
    const privateKey = await privateKeyOf(row, this.config.ENCRYPTION_SECRETS);
    this.#privateKeys.set(row.kid, privateKey);
    return privateKey;
  }
}
