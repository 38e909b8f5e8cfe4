import { availableParallelism } from 'node:os';
import * as argon2 from '@node-rs/argon2';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';

const idle = () => ({ running: 0, most: 0, calls: 0, held: undefined as Promise<void> | undefined });
let work = idle();

/** argon2 itself, but counted; in place of it something that can be held. */
async function counted<T>(run: () => Promise<T>): Promise<T> {
  const ofThisTest = work;
  work.calls += 1;
  work.running += 1;
  work.most = Math.max(work.most, work.running);
  try {
    return await (work.held?.then(() => undefined as T) ?? run());
  } finally {
    ofThisTest.running -= 1;
  }
}
jest.unstable_mockModule('@node-rs/argon2', () => ({
  ...argon2,
  hash: (...args: Parameters<typeof argon2.hash>) => counted(() => argon2.hash(...args)),
  verify: (...args: Parameters<typeof argon2.verify>) => counted(() => argon2.verify(...args)),
}));
const { BusyError, hashFault, PasswordHasher } =
  await import('../../../src/platform/crypto/password-hasher.js');

const CONCURRENT = Math.min(3, Math.max(1, availableParallelism() - 1));
const QUEUE_LIMIT = 200;

describe('PasswordHasher', () => {
  beforeEach(() => {
    work = idle();
  });

  it("[V11.4.2] makes argon2id hashes with OWASP's parameters, each with a salt of its own", async () => {
    const hasher = new PasswordHasher();
    const [one, other] = await Promise.all([hasher.hash('a password'), hasher.hash('a password')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(other);
    expect(hasher.isOutdated(one)).toBe(false);
  });

  it('knows the password again, to the letter', async () => {
    const hasher = new PasswordHasher();
    const stored = await hasher.hash('a password');
    expect(await hasher.verify(stored, 'a password')).toBe(true);
    for (const other of ['A password', 'a password ', 'a passwor', ''])
      expect(await hasher.verify(stored, other)).toBe(false);
  });

  it('says no without a stored hash, and does the same work', async () => {
    const hasher = new PasswordHasher();
    await hasher.hash('a password');
    const before = work.calls;
    expect(await hasher.verify(undefined, 'a password')).toBe(false);
    expect(work.calls).toBe(before + 1);
  });

  it('says no without a stored hash to the very password that the dummy is made of', async () => {
    expect(await new PasswordHasher().verify(undefined, 'nobody has this password')).toBe(false);
  });

  it.each([
    '$argon2id$v=19$m=4096,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaA',
    '$argon2id$v=19$m=19456,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaA',
    '$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaA',
  ])('finds %s outdated', (stored) => {
    expect(new PasswordHasher().isOutdated(stored)).toBe(true);
  });

  it('runs a few at once, however many ask', async () => {
    const hasher = new PasswordHasher();
    await hasher.verify(undefined, 'x'); // The dummy is made by now.
    work.most = 0;
    await Promise.all(Array.from({ length: 12 }, () => hasher.hash('a password')));
    expect(work.most).toBe(CONCURRENT);
    expect(work.running).toBe(0);
  });

  it('[V15.2.2] refuses with 503 and Retry-After if the queue is full, and accepts again when there is room', async () => {
    const hasher = new PasswordHasher();
    await hasher.verify(undefined, 'x');
    let release!: () => void;
    work.held = new Promise((resolve) => (release = resolve));
    const waiting = Array.from({ length: CONCURRENT + QUEUE_LIMIT }, () => hasher.hash('a password'));
    await expect(hasher.hash('one too many')).rejects.toBeInstanceOf(BusyError);
    await expect(hasher.verify(undefined, 'one too many')).rejects.toMatchObject({
      kind: { slug: 'busy', status: 503 },
      headers: { 'Retry-After': '5' },
    });
    expect(work.running).toBe(CONCURRENT);
    expect(hasher.state).toEqual({
      running: CONCURRENT,
      waiting: QUEUE_LIMIT,
      limit: QUEUE_LIMIT,
      refused: 2,
    });
    release();
    await Promise.all(waiting);
    expect(hasher.state).toMatchObject({ running: 0, waiting: 0, refused: 2 });
    work.held = undefined;
    await expect(hasher.verify(undefined, 'there is room again')).resolves.toBe(false);
  });

  it('gives its place back when the work fails', async () => {
    const hasher = new PasswordHasher();
    await hasher.verify(undefined, 'x');
    work.held = Promise.reject(new Error('no memory'));
    const attempts = Array.from({ length: 2 * CONCURRENT }, () => hasher.hash('x'));
    expect(new Set((await Promise.allSettled(attempts)).map(({ status }) => status))).toEqual(
      new Set(['rejected']),
    );
    work.held = undefined;
    await expect(hasher.verify(undefined, 'x')).resolves.toBe(false);
  });

  const SALT_AND_HASH = 'c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g';
  it.each([
    ['4 GiB of memory', `$argon2id$v=19$m=4194304,t=2,p=1$${SALT_AND_HASH}`],
    ['a million passes', `$argon2id$v=19$m=19456,t=1000000,p=1$${SALT_AND_HASH}`],
    ['a thousand lanes', `$argon2id$v=19$m=65536,t=2,p=1000$${SALT_AND_HASH}`],
    ['a number that is none', `$argon2id$v=19$m=99999999999999999999,t=2,p=1$${SALT_AND_HASH}`],
    ['argon2i', `$argon2i$v=19$m=19456,t=2,p=1$${SALT_AND_HASH}`],
    ['bcrypt', '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'],
    ['nothing', ''],
    ['text', 'a password'],
  ])('refuses a stored hash of %s without obeying it, after the work of ours', async (_what, stored) => {
    const hasher = new PasswordHasher();
    await hasher.verify(undefined, 'x');
    const before = work.calls;
    expect(hashFault(stored)).toMatch(/^stored hash /);
    expect(await hasher.verify(stored, 'nobody has this password')).toBe(false);
    expect(work.calls).toBe(before + 1);
  });

  it('says no to a hash that argon2 cannot decode', async () => {
    const stored = '$argon2id$v=19$m=1,t=1,p=4$AAAAAAAAAAB$AAAAAAAAAAAAAAAAB';
    expect(await new PasswordHasher().verify(stored, 'x')).toBe(false);
  });

  it.each([
    ['node-argon2', { memoryCost: 65_536, timeCost: 3, parallelism: 4 }],
    ['OWASP with less memory', { memoryCost: 7_168, timeCost: 5, parallelism: 1 }],
  ])('accepts hashes with the defaults of %s', async (_library, parameters) => {
    const stored = await new PasswordHasher(parameters).hash('a password');
    expect(await new PasswordHasher().verify(stored, 'a password')).toBe(true);
  });
});
