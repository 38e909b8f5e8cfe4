import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { CryptoKey } from 'jose';
import { Repository } from 'typeorm';
import { Clock } from '../clock/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import { MAX_LIFETIME_SECONDS } from './access-token.js';
import { type SigningAlgorithm, SigningKey, type SigningKeyStatus } from './signing-key.entity.js';
import { makePair, privateKeyOf, publicKeyOf, publishedJwk } from './signing-key.pair.js';
import type { Jwks } from './tokens.schemas.js';

/** Anybody can make up a `kid`: however many come, the table is read no more often. */
const RELOAD_COOL_DOWN_MS = 10_000;

export interface VerificationKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly publicKey: CryptoKey;
}

interface LoadedKey extends VerificationKey {
  readonly row: SigningKey;
}

/** The keys that sign access tokens, in PostgreSQL so that all nodes have the same, and in memory. */
@Injectable()
export class SigningKeysService implements OnModuleInit {
  #keys = new Map<string, LoadedKey>();
  readonly #privateKeys = new Map<string, Promise<CryptoKey>>();
  #loadedAt = -Infinity;
  #loading: Promise<void> | undefined;

  constructor(
    @InjectRepository(SigningKey) private readonly rows: Repository<SigningKey>,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws ConfigError if there is a key that the configured secrets do not open */
  async onModuleInit(): Promise<void> {
    await this.#load();
    await this.#makeMissing('active');
    await this.#makeMissing('next');
    await this.#load();
    const inUse = [...this.#keys.values()].filter(({ row }) => row.status !== 'retired');
    await Promise.all(inUse.map(({ row }) => this.#open(row)));
  }

  /** The key that signs now. */
  async signer(): Promise<{ kid: string; algorithm: SigningAlgorithm; privateKey: CryptoKey }> {
    const key = this.#withStatus('active');
    if (!key) throw new Error(`no active signing key for ${this.config.JWT_ALGORITHM}`);
    return { kid: key.kid, algorithm: key.algorithm, privateKey: await this.#open(key.row) };
  }

  /** The key that a token names. An unknown one may be new, from another node: it is looked for, but not each time. */
  async find(kid: string): Promise<VerificationKey | undefined> {
    if (!this.#current(kid)) await this.#reload();
    return this.#current(kid);
  }

  /** The public keys of all tokens that may be alive, now and next. */
  jwks(): Jwks {
    const current = [...this.#keys.keys()].flatMap((kid) => this.#current(kid) ?? []);
    return { keys: current.map(({ row }) => publishedJwk(row)) };
  }

  #current(kid: string): LoadedKey | undefined {
    const key = this.#keys.get(kid);
    const retiredAt = key?.row.retiredAt;
    return retiredAt && retiredAt <= this.#forgottenSince() ? undefined : key;
  }

  /** A key that retired then or before has no token that is alive. */
  #forgottenSince(): Date {
    return this.clock.in(-MAX_LIFETIME_SECONDS * 1000);
  }

  #withStatus(status: SigningKeyStatus): LoadedKey | undefined {
    const { JWT_ALGORITHM } = this.config;
    return [...this.#keys.values()].find(
      (key) => key.row.status === status && key.algorithm === JWT_ALGORITHM,
    );
  }

  async #reload(): Promise<void> {
    if (!this.#loading && this.clock.now().getTime() - this.#loadedAt < RELOAD_COOL_DOWN_MS) return;
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined));
    await this.#loading;
  }

  async #load(): Promise<void> {
    const rows = await this.rows
      .createQueryBuilder('k')
      .where('k.retiredAt IS NULL OR k.retiredAt > :since', { since: this.#forgottenSince() })
      .orderBy('k.createdAt')
      .addOrderBy('k.kid')
      .getMany();
    const keys = rows.map(async (row): Promise<[string, LoadedKey]> => {
      const { kid, algorithm } = row;
      return [kid, { kid, algorithm, publicKey: await publicKeyOf(row), row }];
    });
    this.#keys = new Map(await Promise.all(keys));
    // Not before: while the database cannot be asked, a key that is not known is no bad credential.
    this.#loadedAt = this.clock.now().getTime();
  }

  /** Of several nodes that start at once one gets its key in, by the unique index; all read it back. */
  async #makeMissing(status: SigningKeyStatus): Promise<void> {
    if (this.#withStatus(status)) return;
    const pair = await makePair(this.config.JWT_ALGORITHM, this.config.KEY_ENCRYPTION_SECRETS[0]!);
    const row = { ...pair, status, createdAt: this.clock.now() };
    await this.rows.createQueryBuilder().insert().values(row).orIgnore().execute();
  }

  #open(row: SigningKey): Promise<CryptoKey> {
    const opened = this.#privateKeys.get(row.kid) ?? privateKeyOf(row, this.config.KEY_ENCRYPTION_SECRETS);
    this.#privateKeys.set(row.kid, opened);
    return opened;
  }
}
