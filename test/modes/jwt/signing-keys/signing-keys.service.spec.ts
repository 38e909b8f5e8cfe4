import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Repository } from 'typeorm';
import { Clock } from '../../../../src/platform/clock/clock.js';
import { ConfigError, readConfig } from '../../../../src/platform/config/config.js';
import type {
  RevocationFeed,
  RevocationListener,
} from '../../../../src/platform/revocations/revocation-feed.js';
import type { RevocationsService } from '../../../../src/platform/revocations/revocations.service.js';
import type {
  SigningAlgorithm,
  SigningKey,
  SigningKeyStatus,
} from '../../../../src/modes/jwt/signing-keys/signing-key.entity.js';
import { makePair, privateKeyOf } from '../../../../src/modes/jwt/signing-keys/signing-key.pair.js';
import { SigningKeysService } from '../../../../src/modes/jwt/signing-keys/signing-keys.service.js';

const SECRET = 'a-secret-of-the-tests-that-is-long-enough';
const MINUTE = 60_000;

type Row = Pick<SigningKey, keyof SigningKey>;

class SetClock extends Clock {
  time = Date.UTC(2030, 0, 1);
  override now(): Date {
    return new Date(this.time);
  }
  override monotonic(): number {
    return this.time;
  }
}

/** Stands for the table: how often it is read, and what it answers. */
class Table {
  rows: Row[] = [];
  reads = 0;
  down = false;
  /** What a read waits for after it has seen the rows. */
  answers: Promise<void> = Promise.resolve();

  createQueryBuilder() {
    const query = {
      orderBy: () => query,
      addOrderBy: () => query,
      getMany: async () => {
        this.reads += 1;
        if (this.down) throw new Error('no database');
        const { rows } = this;
        await this.answers;
        return rows;
      },
    };
    return query;
  }

  async add(status: SigningKeyStatus, algorithm: SigningAlgorithm = 'ES256', retiredAt: Date | null = null) {
    const row = { ...(await makePair(algorithm, SECRET)), status, createdAt: new Date(), retiredAt };
    this.rows = [...this.rows, row];
    return row;
  }
}

/** Stands for the connection to PostgreSQL: whether it can be relied on, and what it tells. */
class Feed {
  isCurrent = true;
  readonly #listeners: RevocationListener[] = [];

  onRevocation(listener: RevocationListener): void {
    this.#listeners.push(listener);
  }

  tell(revocation: Parameters<RevocationListener>[0]): void {
    for (const listener of this.#listeners) listener(revocation);
  }

  announce(): void {
    this.tell(['signing-key', 'changed', null]);
  }
}

let table: Table;
let feed: Feed;
let clock: SetClock;

const start = async (secrets = SECRET, env: Record<string, string> = {}) => {
  const config = readConfig({ ENCRYPTION_SECRETS: secrets, ...env });
  const service = new SigningKeysService(
    table as unknown as Repository<SigningKey>,
    clock,
    config,
    feed as unknown as RevocationFeed,
    {} as RevocationsService,
  );
  await service.onModuleInit();
  table.reads = 0;
  return service;
};

beforeEach(async () => {
  table = new Table();
  clock = new SetClock();
  feed = new Feed();
  await table.add('active');
  await table.add('next');
});

describe('a kid that is not known', () => {
  it('is looked for in the table, where another node may have put it', async () => {
    const keys = await start();
    clock.time += 10_000;
    const { kid } = await table.add('next', 'EdDSA');
    expect(await keys.find(kid)).toMatchObject({ kid, algorithm: 'EdDSA' });
  });

  it('is looked for once in ten seconds, however many there are', async () => {
    const keys = await start();
    clock.time += 10_000;
    await Promise.all(Array.from({ length: 50 }, (_, i) => keys.find(`foreign ${i}`)));
    await keys.find('one more');
    expect(table.reads).toBe(1);
  });

  it('is no bad credential while the table cannot be read, nor does that start the ten seconds', async () => {
    const keys = await start();
    clock.time += 10_000;
    const { kid } = await table.add('next', 'EdDSA');
    table.down = true;
    await expect(keys.find(kid)).rejects.toThrow('no database');
    table.down = false;
    expect(await keys.find(kid)).toBeDefined();
  });
});

describe('an announcement', () => {
  it('makes the keys be read at once', async () => {
    const keys = await start();
    const { kid } = await table.add('next', 'EdDSA');
    feed.announce();
    await new Promise(setImmediate);
    expect(keys.jwks().keys.map((key) => key.kid)).toContain(kid);
    expect(table.reads).toBe(1);
  });

  it('of something else does not, and that some may have been missed does', async () => {
    await start();
    feed.tell(['sign-in', 'an id', null]);
    await new Promise(setImmediate);
    expect(table.reads).toBe(0);
    feed.tell('everything');
    await new Promise(setImmediate);
    expect(table.reads).toBe(1);
  });

  it('ends a key in the same turn: who asks waits for the table', async () => {
    const keys = await start();
    const [active] = table.rows as [Row];
    table.rows = table.rows.slice(1);
    feed.announce();
    expect(await keys.find(active.kid)).toBeUndefined();
  });

  it('is not answered by a read that began before it', async () => {
    const keys = await start();
    const [active] = table.rows as [Row];
    const hold = () => {
      let release!: () => void;
      table.answers = new Promise((resolve) => (release = resolve));
      return release;
    };
    const answerFirst = hold();
    feed.announce();
    await new Promise(setImmediate);
    table.rows = table.rows.slice(1);
    const answerSecond = hold();
    feed.announce();
    answerFirst();
    await new Promise(setImmediate);
    const found = keys.find(active.kid);
    answerSecond();
    expect(await found).toBeUndefined();
  });

  it('[V16.5.3] leaves no key to verify or to sign with, while the table cannot be read', async () => {
    const keys = await start();
    const [active] = table.rows as [Row];
    table.down = true;
    feed.announce();
    await expect(keys.find(active.kid)).rejects.toThrow('no database');
    await expect(keys.signer()).rejects.toThrow('no database');
    table.down = false;
    expect(await keys.find(active.kid)).toBeDefined();
  });
});

describe('while the feed is not current', () => {
  it('the table is read for each key that is asked for', async () => {
    const keys = await start();
    const [active] = table.rows as [Row];
    feed.isCurrent = false;
    expect(await keys.find(active.kid)).toBeDefined();
    table.rows = table.rows.slice(1);
    expect(await keys.find(active.kid)).toBeUndefined();
    table.down = true;
    await expect(keys.find(table.rows[0]!.kid)).rejects.toThrow('no database');
    await expect(keys.signer()).rejects.toThrow('no database');
  });

  it('many who ask at once share a read', async () => {
    const keys = await start();
    feed.isCurrent = false;
    await Promise.all(Array.from({ length: 50 }, () => keys.find(table.rows[0]!.kid)));
    expect(table.reads).toBe(1);
  });
});

describe('the published keys', () => {
  it('hold no private part, whatever the row holds', async () => {
    await table.add('next', 'EdDSA');
    table.rows = table.rows.map((row) => ({ ...row, publicJwk: { ...row.publicJwk, d: 'private' } }));
    const { keys } = (await start()).jwks();
    expect(keys.map((key) => Object.keys(key).toSorted().join())).toEqual([
      'alg,crv,kid,kty,use,x,y',
      'alg,crv,kid,kty,use,x,y',
      'alg,crv,kid,kty,use,x',
    ]);
  });

  it('keep a retired one while a token of it may live', async () => {
    const { kid } = await table.add('retired', 'ES256', clock.now());
    const keys = await start();
    clock.time += 16 * MINUTE - 1;
    expect(keys.jwks().keys.map((key) => key.kid)).toContain(kid);
    clock.time += 1;
    expect(keys.jwks().keys.map((key) => key.kid)).not.toContain(kid);
    expect(await keys.find(kid)).toBeUndefined();
  });
});

describe('a private key', () => {
  it('that no configured secret opens stops the boot, and names the variable only', async () => {
    const other = 'another-secret-that-is-just-as-long-as-it';
    const failure: unknown = await start(other).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect((failure as ConfigError).message).toContain('ENCRYPTION_SECRETS');
    expect((failure as ConfigError).message).not.toContain(other);
  });

  it('cannot be moved to another kid, nor taken out of memory', async () => {
    const [one, two] = table.rows as [Row, Row];
    await expect(privateKeyOf({ ...one, kid: two.kid }, [SECRET])).rejects.toThrow(ConfigError);
    expect((await privateKeyOf(one, [SECRET])).extractable).toBe(false);
  });

  it('of the other algorithm signs if there is none of the configured one any more', async () => {
    await table.add('active', 'EdDSA');
    await table.add('next', 'EdDSA');
    const keys = await start(SECRET, { JWT_ALGORITHM: 'EdDSA' });
    expect((await keys.signer()).algorithm).toBe('EdDSA');
    table.rows = table.rows.filter(({ algorithm }) => algorithm === 'ES256');
    feed.announce();
    expect((await keys.signer()).algorithm).toBe('ES256');
  });

  it('signs if it is the active one', async () => {
    expect((await (await start()).signer()).kid).toBe(table.rows[0]!.kid);
  });
});
