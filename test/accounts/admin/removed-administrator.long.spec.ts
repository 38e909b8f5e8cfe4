import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { useServer } from '../../support/server.js';
import { REMOVALS, Stage, WRITES } from './removed-administrator.js';

const REFUSED = { status: 401, problem: 'invalid-credential' };

describe.each(['demoted', 'disabled', 'signed out'] as const)(
  'a privileged write by an administrator who is %s meanwhile',
  (removal) => {
    const context = useServer({ env: { RATE_LIMITS: 'off' } });
    let stage: Stage;
    beforeAll(async () => {
      stage = await Stage.build(context.server);
    });
    beforeEach(() => stage.enter());

    it.each(Object.entries(WRITES))('is refused on %s, and nothing is written', async (_route, write) => {
      const before = await stage.state();
      expect(await stage.race(REMOVALS[removal], write)).toMatchObject(REFUSED);
      expect(await stage.state()).toEqual(before);
    });

    it('never gives the role back, in 10 rounds', async () => {
      for (let round = 0; round < 10; round += 1) {
        const answer = await stage.race(REMOVALS[removal], ({ acting }) => stage.setRoles(acting, ['admin']));
        expect(answer).toMatchObject(REFUSED);
        await stage.enter();
      }
    });
  },
);
