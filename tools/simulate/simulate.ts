// npm run simulate -- [--seeds N] [--seed FIRST] [--steps N]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const USAGE = `Usage: npm run simulate -- [--seeds N] [--seed FIRST] [--steps N]

Drives three nodes with random actions, and checks after each step that they hold what they promise.

--seeds  how many simulations to run, one after the other (10)
--seed   the first seed (1). A simulation that fails names its seed
--steps  the steps of each simulation (200)`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    steps: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});

if (values.help) console.log(USAGE);
else {
  const wrong = (['seeds', 'seed', 'steps'] as const).filter(
    (name) => !/^[1-9]\d{0,8}$/.test(values[name] ?? '1'),
  );
  if (wrong.length > 0) {
    console.error(`${wrong.map((name) => `--${name}`).join(', ')}: must be a whole number from 1 on`);
    process.exitCode = 64;
  } else {
    const { seeds, seed, steps } = values;
    const env = {
      ...process.env,
      ...(seed && { SIMULATION_SEED: seed, SIMULATION_SEEDS: '1' }),
      ...(seeds && { SIMULATION_SEEDS: seeds }),
      ...(steps && { SIMULATION_STEPS: steps }),
    };
    const options = { env, stdio: 'inherit' } as const;
    process.exitCode =
      spawnSync('npm', ['run', '--silent', 'test:all', '--', 'test/simulation'], options).status ?? 1;
  }
}
