// npm run bench -- [--quick] [--only NAME] [--json FILE] [--write]
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from './client.js';
import { measureOperations } from './operations.js';
import { leaveProcessorToServer } from './processors.js';
import { AUDIENCE, COLD, inPlace, type Place, startBare, startServer, WARM } from './production.js';
import { QueryCount } from './queries.js';
import { Loader } from './loader.js';
import { pageOf, type Report, type Round, tableOf } from './report.js';
import { type Scenario, scenariosOf } from './scenarios.js';
import { seed } from './seed.js';
import type { Server } from './server.js';

const USAGE = `Usage: npm run bench -- [--quick] [--only NAME] [--json FILE] [--write]

Loads the production server and prints the CPU time of each kind of request. Run npm run build first.

--quick      10,000 credentials of each kind and short windows, in about eight minutes. Default: 100,000, about twenty minutes
--only NAME  the scenarios with NAME in their names, besides "bare" and "public"
--json FILE  writes the report with its raw rounds
--write      writes docs/benchmarks.md and its chart

With REDIS_URL, it also measures rate limits in Redis. With DATABASE_URL, it measures that database, and adds rows to it.`;

const CONNECTIONS = 32;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'string' },
    write: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
const plan = values.quick
  ? { rows: 10_000, rounds: 3, seconds: 2 }
  : { rows: 100_000, rounds: 5, seconds: 5 };
const say = (text: string) => process.stderr.write(`${text}\n`);

const orderOf = (server: Server, { path, header, credentials }: Scenario) => ({
  url: server.url + path,
  connections: CONNECTIONS,
  header,
  credentials,
});

async function measure(server: Server, loader: Loader, scenario: Scenario): Promise<Round> {
  const order = orderOf(server, scenario);
  // An idle server is slow at first.
  await loader.run({ ...order, seconds: 1 });
  const before = server.cpu();
  const outcome = await loader.run({ ...order, seconds: plan.seconds });
  if (outcome.unexpected > 0) throw new Error(`${scenario.name}: ${outcome.unexpected} unexpected answers`);
  const cpu = (server.cpu() - before) / outcome.requests;
  return { ...outcome, cpu, perSecond: outcome.requests / plan.seconds };
}

/** A server that accepts everything would be fast. */
async function expectRefusals(server: Server, scenarios: readonly Scenario[]): Promise<void> {
  const client = new Client(server.url);
  for (const { name, path, header, credentials } of scenarios) {
    if (credentials.length === 0) continue;
    const [right, wrong] = [credentials[0]!, `${credentials[0]!.slice(0, -8)}AAAAAAAA`];
    const statuses = [
      await client.statusOf(path, { [header]: right }),
      await client.statusOf(path, { [header]: wrong }),
    ];
    if (statuses.join() !== '200,401')
      throw new Error(`${name}: expected 200 and 401, got ${statuses.join(' and ')}`);
  }
}

async function run(place: Place): Promise<Report> {
  const redis = process.env['REDIS_URL'];
  const servers = {
    warm: await startServer(place, 'warm', WARM),
    // A second node of the same database. It signs with EdDSA.
    other: await startServer(place, 'other', { ...WARM, JWT_ALGORITHM: 'EdDSA' }),
    quiet: await startServer(place, 'quiet', { LOG_LEVEL: 'warn' }),
    plain: await startServer(place, 'plain', {}, 'tools/bench/without-headers.mjs'),
    cold: await startServer(place, 'cold', COLD),
    bare: await startBare(place),
  };
  const withRedis = redis ? await startServer(place, 'redis', { ...WARM, REDIS_URL: redis }) : undefined;
  const serverOf = ({ server }: Scenario) => (server === 'redis' ? withRedis! : servers[server]);
  const loader = new Loader();
  try {
    say(`Writing ${plan.rows} credentials of each kind…`);
    const seeded = await seed(place.database, plan.rows, AUDIENCE);
    say('Getting JWTs…');
    const urls = { es256: servers.warm.url, eddsa: servers.other.url };
    const all = (await scenariosOf(urls, seeded)).filter(({ server }) => withRedis ?? server !== 'redis');
    const scenarios = all.filter(({ name }) => /bare|public/.test(name) || name.includes(values.only ?? ''));
    await expectRefusals(servers.warm, scenarios);
    const rounds = new Map<string, Round[]>(scenarios.map(({ name }) => [name, []]));
    const began = Date.now();
    const total = plan.rounds * scenarios.length;
    let done = 0;
    // One window of each scenario in each round, so that a slow moment of the machine meets all of them.
    for (let round = 1; round <= plan.rounds; round += 1)
      for (const scenario of scenarios) {
        rounds.get(scenario.name)!.push(await measure(serverOf(scenario), loader, scenario));
        done += 1;
        const left = Math.ceil((((Date.now() - began) / done) * (total - done)) / 1000);
        say(`round ${round} of ${plan.rounds}: ${scenario.name} (${left} s left)`);
      }
    say('Counting queries…');
    const queries = new Map<string, number>();
    const count = await QueryCount.open(place.database);
    // All nodes query at regular times, also without requests.
    const idle = await count.during(() => sleep(1_000));
    for (const scenario of scenarios) {
      let requests = 1;
      const made = await count.during(async () => {
        ({ requests } = await loader.run({ ...orderOf(serverOf(scenario), scenario), seconds: 1 }));
      });
      queries.set(scenario.name, Math.max(0, made - idle) / requests);
    }
    await count.close();
    say('Signing in, refreshing and revoking…');
    const checked = orderOf(
      servers.warm,
      all.find(({ name }) => name === 'session, warm')!,
    );
    const operations = await measureOperations(
      [servers.warm, servers.other],
      seeded,
      loader,
      checked,
      plan.seconds,
    );
    return {
      node: process.version,
      processor: cpus()[0]!.model,
      processors: cpus().length,
      ...plan,
      connections: CONNECTIONS,
      memory: servers.warm.memory(),
      operations,
      scenarios: scenarios.map(({ name, header, credentials }) => ({
        name,
        queries: queries.get(name)!,
        bytes: credentials.length === 0 ? 0 : `${header}: ${credentials[0]}\r\n`.length,
        rounds: rounds.get(name)!,
      })),
    };
  } finally {
    loader.stop();
    const all = [...Object.values(servers), ...(withRedis ? [withRedis] : [])];
    await Promise.all(all.map((server) => server.stop()));
  }
}

async function main(): Promise<void> {
  if (values.help) return console.log(USAGE);
  leaveProcessorToServer();
  await inPlace(async (place) => {
    const report = await run(place);
    console.log(tableOf(report));
    if (values.json) writeFileSync(values.json, JSON.stringify(report, null, 2));
    if (values.write) await pageOf(report);
  });
}

await main();
