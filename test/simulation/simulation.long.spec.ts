import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ACTIONS } from './actions.js';
import { Cluster } from './cluster.js';
import { chosen, type Step, World } from './world.js';

const number = (name: string, preset: number) => Number(process.env[name] ?? preset);
const STEPS = number('SIMULATION_STEPS', 200);
const FIRST_SEED = number('SIMULATION_SEED', 1);
const SEEDS = Array.from({ length: number('SIMULATION_SEEDS', 10) }, (_, i) => FIRST_SEED + i);
const PEOPLE = 3;
/** Asked after each step. */
const CHECKS = 6;

const step: fc.Arbitrary<Step> = fc.record({
  action: fc.oneof(
    ...Object.entries(ACTIONS).map(([name, { weight }]) => ({
      weight: weight * 2,
      arbitrary: fc.constant(name),
    })),
  ),
  node: fc.nat(2),
  who: fc.nat(PEOPLE - 1),
  pick: fc.nat(10_000),
});
const plan = fc.array(step, { minLength: STEPS, maxLength: STEPS, size: 'max' });

/** Asks nodes about the credentials that ended last, and about others. */
async function check(world: World, { node, pick }: Step): Promise<void> {
  const { credentials } = world.model;
  const ended = credentials.filter((one) => world.model.revokedSince(one) !== undefined).slice(-CHECKS / 2);
  const asked = [...ended];
  for (let i = asked.length; i < CHECKS; i += 1)
    asked.push(...[chosen(credentials, pick * 7 + i * 31)].flatMap((one) => one ?? []));
  for (const [i, credential] of asked.entries()) await world.check(credential, node + i);
}

/** Runs the steps, and names the last ones if something does not hold. */
async function run(world: World, seed: number, steps: readonly Step[]): Promise<void> {
  for (const [i, one] of steps.entries())
    try {
      await ACTIONS[one.action]!.act(world, one);
      await check(world, one);
    } catch (error) {
      const before = steps
        .slice(Math.max(0, i - 20), i + 1)
        .map(({ action, node }) => `  ${action} (${node})`);
      const text = `npm run simulate -- --seed ${seed} --steps ${STEPS}\nstep ${i + 1} of ${STEPS}, and those before:\n`;
      throw new Error(`${text}${before.join('\n')}\n${(error as Error).message}`, { cause: error });
    }
  // After the promise, all that ended is refused everywhere.
  await world.cluster.revive();
  await new Promise((resolve) => setTimeout(resolve, 400));
  for (const credential of world.model.credentials.slice(-100))
    for (const node of [0, 1, 2]) await world.check(credential, node);
}

describe.each(['5s', '0s'])('three nodes with CREDENTIAL_CACHE_TTL=%s', (cacheTtl) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start(cacheTtl);
  });
  afterAll(() => cluster?.stop());

  const seeds = SEEDS.filter((_, i) => (i % 2 === 0) === (cacheTtl !== '0s'));
  (seeds.length > 0 ? it.each(seeds) : it.skip.each([0]))('hold what they promise, seed %i', async (seed) => {
    const [steps] = fc.sample(plan, { seed, numRuns: 1 });
    const world = await World.of(cluster, PEOPLE);
    await run(world, seed, steps!);
    expect(world.model.credentials.length).toBeGreaterThan(0);
  });
});
