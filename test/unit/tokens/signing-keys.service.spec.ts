import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Repository } from 'typeorm';
import { Clock } from '../../../src/clock/clock.js';
import { ConfigError, readConfig } from '../../../src/config/config.js';
import type {
  SigningAlgorithm,
  SigningKey,
  SigningKeyStatus,
} from '../../../src/tokens/signing-key.entity.js';
import { makePair, privateKeyOf } from '../../../src/tokens/signing-key.pair.js';
import { SigningKeysService } from '../../../src/tokens/signing-keys.service.js';

const SECRET = 'a-secret-of-the-tests-that-is-long-enough';
const MINUTE = 60_000;

type Row = Pick<SigningKey, keyof SigningKey>;

class SetClock extends Clock {
  time = Date.UTC(2030, 0, 1);
  override now(): Date {
    return new Date(this.time);
  }
}

/** Stands for the table: how often it is read, and what it answers. */
class Table {
  rows: Row[] = [];
  reads = 0;
  down = false;

  createQueryBuilder() {
    const query = {
      where: () => query,
      orderBy: () => query,
      addOrderBy: () => query,
      getMany: async () => {
        this.reads += 1;
        if (this.down) throw new Error('no database');
        return this.rows;
      },
    };
    return query;
  }

  async add(status: SigningKeyStatus, algorithm: SigningAlgorithm = 'EdDSA', retiredAt: Date | null = null) {
    const row = { ...(await makePair(algorithm, SECRET)), status, createdAt: new Date(), retiredAt };
    this.rows = [...this.rows, row];
    return row;
  }
}

let table: Table;
let clock: SetClock;

const start = async (secrets = SECRET) => {
  const config = readConfig({ KEY_ENCRYPTION_SECRETS: secrets });
  const service = new SigningKeysService(table as unknown as Repository<SigningKey>, clock, config);
  await service.onModuleInit();
  table.reads = 0;
  return service;
};

beforeEach(async () => {
  table = new Table();
  clock = new SetClock();
  await table.add('active');
  await table.add('next');
});

describe('a kid that is not known', () => {
  it('is looked for in the table, where another node may have put it', async () => {
    const keys = await start();
    clock.time += 10_000;
    const { kid } = await table.add('next', 'ES256');
    expect(await keys.find(kid)).toMatchObject({ kid, algorithm: 'ES256' });
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
    const { kid } = await table.add('next', 'ES256');
    table.down = true;
    await expect(keys.find(kid)).rejects.toThrow('no database');
    table.down = false;
    expect(await keys.find(kid)).toBeDefined();
  });
});

describe('the published keys', () => {
  it('hold no private part, whatever the row holds', async () => {
    await table.add('next', 'ES256');
    table.rows = table.rows.map((row) => ({ ...row, publicJwk: { ...row.publicJwk, d: 'private' } }));
    const { keys } = (await start()).jwks();
    expect(keys.map((key) => Object.keys(key).toSorted().join())).toEqual([
      'alg,crv,kid,kty,use,x',
      'alg,crv,kid,kty,use,x',
      'alg,crv,kid,kty,use,x,y',
    ]);
  });

  it('keep a retired one while a token of it may live', async () => {
    const { kid } = await table.add('retired', 'EdDSA', clock.now());
    const keys = await start();
    clock.time += 15 * MINUTE - 1;
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
    expect((failure as ConfigError).message).toContain('KEY_ENCRYPTION_SECRETS');
    expect((failure as ConfigError).message).not.toContain(other);
  });

  it('cannot be moved to another kid, nor taken out of memory', async () => {
    const [one, two] = table.rows as [Row, Row];
    await expect(privateKeyOf({ ...one, kid: two.kid }, [SECRET])).rejects.toThrow(ConfigError);
    expect((await privateKeyOf(one, [SECRET])).extractable).toBe(false);
  });

  it('signs if it is the active one', async () => {
    expect((await (await start()).signer()).kid).toBe(table.rows[0]!.kid);
  });
});
