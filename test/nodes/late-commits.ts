import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Barrier } from '../support/barrier.js';
import { jwtOf, type TokenClient } from '../support/modes/jwt.js';
import { TestServer } from '../support/server.js';
import { PATH, three } from './three-nodes.js';

/** The lock that the trigger waits for. */
const LOCK = 0x6c617465;
const NODES = [0, 1, 2];

const ask = async (node: number, token: TokenClient) => (await three.at(node, token).get(PATH)).status;
const signOut = (node: number, token: TokenClient) => three.at(node, token).delete('/v1/sessions/current');

/** They were given numbers in the order in which they did not commit. */
async function expectNumbers(late: TokenClient, early: TokenClient) {
  const rows = await three.server.query(
    'SELECT subject FROM revocations WHERE subject = ANY($1) ORDER BY id',
    [[late.claims['sid'], early.claims['sid']]],
  );
  expect(rows).toEqual([{ subject: late.claims['sid'] }, { subject: early.claims['sid'] }]);
}

/** Signs out on the first node, up to just before the commit; meanwhile another does so on the second, and is known. */
async function meanwhile() {
  const ada = await three.server.person();
  const [late, early] = [await jwtOf(ada), await jwtOf(ada)];
  for (const node of NODES) for (const token of [late, early]) expect(await ask(node, token)).toBe(200);
  const { sid } = late.claims;
  await three.server.query('INSERT INTO held_back VALUES ($1)', [sid]);
  const barrier = await Barrier.hold(three.database.url, 'SELECT pg_advisory_xact_lock($1)', [LOCK]);
  const signingOut = signOut(0, late);
  await barrier.waiting(1);

  expect((await signOut(1, early)).status).toBe(204);
  const answeredAt = performance.now();
  for (const node of NODES)
    expect(await three.refusal(node, early, answeredAt)).toMatchObject({ status: 401 });
  // Nothing has happened as long as it is not committed.
  for (const node of NODES) expect(await ask(node, late)).toBe(200);

  return {
    late,
    early,
    commit: async () => {
      await barrier.release();
      expect((await signingOut).status).toBe(204);
      return performance.now();
    },
  };
}

describe('a revocation that commits late, with a lower number than one that is known already', () => {
  beforeAll(async () => {
    await three.server.query(`
      CREATE TABLE held_back (subject text);
      CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.subject IN (SELECT subject FROM held_back) THEN PERFORM pg_advisory_xact_lock(${LOCK}); END IF;
        RETURN NULL;
      END $$;
      CREATE CONSTRAINT TRIGGER hold_back AFTER INSERT ON revocations DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION hold_back();
    `);
  });
  afterAll(() =>
    three.server.query(`
      DROP TRIGGER hold_back ON revocations;
      DROP FUNCTION hold_back;
      DROP TABLE held_back;
    `),
  );

  it('is not missed by who listens, who has just loaded, or who has just started', async () => {
    const { late, early, commit } = await meanwhile();
    await three.cutFeed(2);
    await three.feedIsBack(2);
    const started = await TestServer.start({ database: three.database });
    const onStarted = async () => (await started.anonymous.with(late.headers).get(PATH)).status;
    try {
      expect([await ask(2, late), await onStarted()]).toEqual([200, 200]);
      const answeredAt = await commit();
      for (const node of NODES)
        expect(await three.refusal(node, late, answeredAt)).toMatchObject({ status: 401 });
      for (let asked = answeredAt; (await onStarted()) !== 401; asked = performance.now())
        expect(asked - answeredAt).toBeLessThan(started.config.FEED_MAX_LAG);
    } finally {
      await started.stop();
    }
    for (const node of NODES) expect(await ask(node, early)).toBe(401);
    await expectNumbers(late, early);
  });

  it('is not missed by who did not listen when it committed, and loads after that', async () => {
    const { late, early, commit } = await meanwhile();
    const frozen = three.nodes[2]!.child;
    frozen.kill('SIGSTOP');
    try {
      await three.cutFeed(2);
      const answeredAt = await commit();
      frozen.kill('SIGCONT');
      expect(await three.refusal(2, late, answeredAt)).toMatchObject({ status: 401 });
    } finally {
      frozen.kill('SIGCONT');
    }
    await three.feedIsBack(2);
    // From memory, which asks nothing of the database.
    for (const token of [late, early]) expect(await ask(2, token)).toBe(401);
    await expectNumbers(late, early);
  });
});
