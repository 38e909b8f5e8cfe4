import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { guess, many, newAddress, signIn } from '../../support/guesses.js';
import { TestServer, useServer } from '../../support/server.js';

const ENV = { TRUSTED_PROXIES: 'loopback' };
const GUESSES = 1_000;
const count = (answers: readonly { status: number }[], status: number) =>
  answers.filter((answer) => answer.status === status).length;

describe('1,000 guesses', () => {
  const context = useServer({ env: ENV });
  const client = () => context.server.anonymous;

  it('at one account from 1,000 addresses: 10 are checked, and the owner can sign in meanwhile', async () => {
    const { email } = await context.server.person();
    const device = (await signIn(client(), { email })).cookies['__Host-device'];
    const owner: number[] = [];
    const answers = await many(GUESSES, async (i) => {
      if (i % 100 === 99) owner.push((await signIn(client(), { email, device })).status);
      return guess(client(), { email });
    });
    expect([count(answers, 401), count(answers, 429)]).toEqual([10, 990]);
    expect(owner).toEqual(Array<number>(10).fill(201));
  });

  it('at 1,000 accounts from one address: 100 are checked', async () => {
    const address = newAddress();
    const answers = await many(GUESSES, (i) =>
      guess(client(), { email: `one-of-${i}@example.com`, address }),
    );
    expect([count(answers, 401), count(answers, 429)]).toEqual([100, 900]);
  });

  it('that fail are warned about, and do not stop other people', async () => {
    const warned = async () =>
      (await context.server.entries()).filter(({ event }) => event === 'attempt.many-failures');
    expect(await warned()).toEqual([]);
    await many(GUESSES, (i) => guess(client(), { email: `warning-${i}@example.com` }));
    expect((await warned()).length).toBeGreaterThan(0);
    const { email } = await context.server.person();
    expect((await signIn(client(), { email })).status).toBe(201);
  });
});

describe('three nodes', () => {
  let database: TestDatabase;
  let nodes: TestServer[] = [];
  beforeAll(async () => {
    database = await createDatabase();
    nodes = await Promise.all([1, 2, 3].map(() => TestServer.start({ database, env: ENV })));
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await database.drop();
  });

  it('share the limit of an account', async () => {
    const { email } = await nodes[0]!.person();
    const answers = await many(120, (i) => guess(nodes[i % 3]!.anonymous, { email }));
    expect([count(answers, 401), count(answers, 429)]).toEqual([10, 110]);
    for (const { anonymous } of nodes) expect((await signIn(anonymous, { email })).status).toBe(429);
  });

  it('share known devices', async () => {
    const { email } = await nodes[0]!.person();
    const device = (await signIn(nodes[0]!.anonymous, { email })).cookies['__Host-device'];
    await many(20, () => guess(nodes[1]!.anonymous, { email }));
    expect((await signIn(nodes[2]!.anonymous, { email, device })).status).toBe(201);
  });
});
