import { scryptSync } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { hash } from '@node-rs/bcrypt';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { bcrypt } from '../../../src/extras/foreign-passwords/bcrypt.js';
import { phcScrypt } from '../../../src/extras/foreign-passwords/phc-scrypt.js';
import { PasswordHasher } from '../../../src/platform/crypto/password-hasher.js';
import { InProcessServer } from '../../support/in-process.js';
import { signIns } from '../../support/modes/any.js';
import type { Person } from '../../support/person.js';
import { useStarted } from '../../support/server.js';

const { path, fields } = signIns[0]!;
/** A test vector of RFC 7914 section 12. */
const SCRYPT =
  '$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw';
const ARGON2 = /^\$argon2id\$/;
const CHEAP = { memoryCost: 8, timeCost: 1, parallelism: 1 };
const REFUSAL_MS = 1500;
const inCostFour = (password: string) => hash(password, 4);
const as = (variant: string, stored: string) => stored.replace('$2b$', `$${variant}$`);

describe('a password hash of another application', () => {
  const context = useStarted(() => InProcessServer.start({ env: { FOREIGN_PASSWORDS: 'on' } }));
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const store = (person: Person, stored: string) =>
    context.server.query('UPDATE users SET password_hash = $2 WHERE id = $1', [person.id, stored]);
  const storedOf = async (person: Person): Promise<string> =>
    (await context.server.query('SELECT password_hash FROM users WHERE id = $1', [person.id]))[0]
      .password_hash;
  const signIn = (email: string, password: string) =>
    context.server.anonymous.post(path, { email, password, ...fields });
  /** A person whose hash comes from another application. */
  const moved = async (stored: string) => {
    const person = await context.server.person();
    await store(person, stored);
    return person;
  };
  const expectRefusal = async (person: Person, password: string, reason: string) => {
    const before = await storedOf(person);
    expect(await signIn(person.email, password)).toMatchObject({
      status: 401,
      body: { type: '/problems/invalid-credential' },
    });
    expect(await storedOf(person)).toBe(before);
    const refusals = context.server.entries().filter(({ event }) => event === 'sign-in.refused');
    expect(refusals.at(-1)).toMatchObject({ reason, userId: person.id });
  };

  it.each([
    ['bcrypt $2a$ of crypt_blowfish', 'U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    ['bcrypt $2y$ of PHP', 'rasmuslerdorf', '$2y$10$.vGA1O9wmRjrwAVXD98HNOgsNpDczlqm3Jq7KnEd1rVAGv3Fykk1a'],
    ['scrypt', 'pleaseletmein', SCRYPT],
    [
      'scrypt of Werkzeug, converted',
      'pleaseletmein',
      '$scrypt$ln=15,r=8,p=1$a2J1VDBaUmZTNnNENUozeg$MP3i7A6FJNpCA7ylP42GqQXgNA4BEncKyI0/Aj6HHljUNuXCyBSIwYa7iTtxmMk4ExC+sVnLUll36gEovT7g/g',
    ],
  ])('%s works for one sign-in, and is argon2id after it', async (_format, password, stored) => {
    const person = await moved(stored);
    await expectRefusal(person, `${password}!`, 'wrong password');
    expect(await signIn(person.email, password)).toMatchObject({ status: 201 });
    const replaced = await storedOf(person);
    expect(replaced).toMatch(ARGON2);
    expect(await signIn(person.email, password)).toMatchObject({ status: 201 });
    expect(await storedOf(person)).toBe(replaced);
  });

  it('is verified with the password as it was received, and stored for its normal form', async () => {
    // The letter A with a ring, in two characters. NFC makes one of them.
    const received = 'A\u030angstrom and more';
    const person = await moved(await inCostFour(received));
    expect(await signIn(person.email, received)).toMatchObject({ status: 201 });
    expect(await storedOf(person)).toMatch(ARGON2);
    expect(await signIn(person.email, received.normalize('NFC'))).toMatchObject({ status: 201 });
  });

  it('is replaced once by two sign-ins at the same time, which both succeed', async () => {
    const password = 'a password from elsewhere';
    const person = await moved(await inCostFour(password));
    const both = await Promise.all([signIn(person.email, password), signIn(person.email, password)]);
    expect(both.map(({ status }) => status)).toEqual([201, 201]);
    expect(await storedOf(person)).toMatch(ARGON2);
  });

  it('stays if the sign-in is rolled back', async () => {
    const password = 'a password from elsewhere';
    const stored = await inCostFour(password);
    const person = await moved(stored);
    await context.server.query(
      `ALTER TABLE sign_ins ADD CONSTRAINT none CHECK (user_id <> '${person.id}') NOT VALID`,
    );
    expect((await signIn(person.email, password)).status).toBe(500);
    await context.server.query('ALTER TABLE sign_ins DROP CONSTRAINT none');
    expect(await storedOf(person)).toBe(stored);
  });

  it('is no part of a password: bcrypt reads 72 bytes, and repeats what ends with NUL', async () => {
    const long = 'é'.repeat(36);
    const person = await moved(await inCostFour(long));
    await expectRefusal(person, `${long}x`, 'wrong password');
    expect(await signIn(person.email, long)).toMatchObject({ status: 201 });
    // The library itself accepts both.
    expect(await bcrypt.verify(await inCostFour(`${long}x`), `${long}x`)).toBe(false);
    expect(await bcrypt.verify(await inCostFour('a\0a'), 'a\0a')).toBe(false);
  });

  const salted = 'N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
  const MALFORMED_BCRYPT = 'stored bcrypt hash is malformed';
  const MALFORMED_SCRYPT = 'stored scrypt hash is malformed';
  const key = SCRYPT.split('$').slice(3).join('$');
  it.each([
    [`$2b$13$${salted}`, 'stored bcrypt hash has a cost that is too high'],
    [`$2b$31$${salted}`, 'stored bcrypt hash has a cost that is too high'],
    [`$2b$03$${salted}`, MALFORMED_BCRYPT],
    [`$2b$99$${salted.slice(1)}`, MALFORMED_BCRYPT],
    [`$2x$10$${salted}`, MALFORMED_BCRYPT],
    [`$2b$10$${salted}\n`, MALFORMED_BCRYPT],
    ['$2', MALFORMED_BCRYPT],
    [`$scrypt$ln=18,r=8,p=1$${key}`, 'stored scrypt hash has parameters that are too high'],
    [`$scrypt$ln=14,r=8,p=99$${key}`, 'stored scrypt hash has parameters that are too high'],
    [`$scrypt$ln=99,r=8,p=1$${key}`, 'stored scrypt hash has parameters that are too high'],
    [`$scrypt$ln=99,r=1,p=1$${key}`, MALFORMED_SCRYPT],
    [`$scrypt$ln=0,r=8,p=1$${key}`, MALFORMED_SCRYPT],
    [`$scrypt$ln=16,r=1,p=16$${key}`, MALFORMED_SCRYPT],
    [`$scrypt$ln=14,r=8,p=1$$`, MALFORMED_SCRYPT],
    [`scrypt$16384$salt$8$1$aGFzaA==`, 'stored hash is not argon2id'],
    ['5f4dcc3b5aa765d61d8327deb882cf99', 'stored hash is not argon2id'],
    ['$1$salt$qJH7.N4xYta3aEG/dfqo/0', 'stored hash is not argon2id'],
  ])('is never checked if it is %j', async (stored, reason) => {
    const checks = [jest.spyOn(bcrypt, 'verify'), jest.spyOn(phcScrypt, 'verify')];
    const hasher = new PasswordHasher(CHEAP);
    hasher.foreign.accept([bcrypt, phcScrypt], 0);
    expect(hasher.faultOf(stored)).toBe(reason);
    expect(await hasher.verify(stored, 'nobody has this password')).toBe(false);
    for (const check of checks) expect(check).not.toHaveBeenCalled();
  });

  it('can have every accepted shape of the parameters', async () => {
    for (const [ln, r, p] of [
      [15, 1, 32],
      [4, 99, 99],
      [17, 8, 1],
    ] as const) {
      const salt = Buffer.alloc(16, 1);
      const options = { N: 2 ** ln, r, p, maxmem: 512 * 2 ** 20 };
      const derived = scryptSync('a password', salt, 32, options);
      const text = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
      const stored = `$scrypt$ln=${ln},r=${r},p=${p}$${text(salt)}$${text(derived)}`;
      expect([stored, phcScrypt.faultOf(stored)]).toEqual([stored, undefined]);
      expect(await phcScrypt.verify(stored, 'a password')).toBe(true);
    }
  });

  it('with an absurd cost is refused, and the log has the reason', async () => {
    const person = await moved(`$2b$31$${salted}`);
    await expectRefusal(person, 'a password', 'stored bcrypt hash has a cost that is too high');
  });

  it('cannot be told from an unknown address: every refusal takes the same time', async () => {
    const foreign = await moved(await inCostFour('a password'));
    const absurd = await moved(`$2b$31$${salted}`);
    const own = await context.server.person();
    const disabled = await context.server.person();
    await context.server.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [disabled.id]);
    for (const [email, password] of [
      [foreign.email, 'a wrong password'],
      [absurd.email, 'a wrong password'],
      [own.email, 'a wrong password'],
      ['nobody@example.com', 'a wrong password'],
      [disabled.email, 'a wrong password'],
      [disabled.email, disabled.password],
    ] as const) {
      const start = performance.now();
      expect(await signIn(email, password)).toMatchObject({ status: 401 });
      // A timer of Node can be a millisecond early.
      expect(performance.now() - start).toBeGreaterThan(REFUSAL_MS - 2);
    }
  });

  it('waits for its turn in the queue of passwords', async () => {
    const hasher = new PasswordHasher(CHEAP);
    let [running, most] = [0, 0];
    const slow = {
      recognises: () => true,
      faultOf: () => undefined,
      verify: async () => {
        most = Math.max(most, (running += 1));
        await new Promise((resolve) => setTimeout(resolve, 10));
        running -= 1;
        return true;
      },
    };
    hasher.foreign.accept([slow], 0);
    await Promise.all(Array.from({ length: 12 }, () => hasher.verify('x', 'x')));
    expect(most).toBe(Math.min(3, Math.max(1, availableParallelism() - 1)));
  });

  it.each(['2a', '2b', '2y'])('accepts %s', async (variant) => {
    const stored = as(variant, await inCostFour('a password'));
    expect(bcrypt.faultOf(stored)).toBeUndefined();
    expect(await bcrypt.verify(stored, 'a password')).toBe(true);
    expect(await bcrypt.verify(stored, 'a passwore')).toBe(false);
  });
});

describe('without FOREIGN_PASSWORDS', () => {
  const context = useStarted(() => InProcessServer.start());

  it('a foreign hash matches no password', async () => {
    const person = await context.server.person();
    await context.server.query('UPDATE users SET password_hash = $2 WHERE id = $1', [
      person.id,
      await inCostFour('a password'),
    ]);
    const answer = await context.server.anonymous.post(path, {
      email: person.email,
      password: 'a password',
      ...fields,
    });
    expect(answer).toMatchObject({ status: 401, body: { type: '/problems/invalid-credential' } });
  });
});
