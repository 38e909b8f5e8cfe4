// npm run bench:growth: what more rows, more connections, revocations and housekeeping change.
import { parseArgs } from 'node:util';
import pg from 'pg';
import { idleConnections } from './idle-connections.js';
import { Loader } from './loader.js';
import { keysOf, type Load, sessionsOf, tokensOf } from './loads.js';
import { leaveProcessorToServer } from './processors.js';
import { AUDIENCE, COLD, inPlace, type Place, startBare, startServer, WARM } from './production.js';
import { seed, type Seed } from './seed.js';
import type { Server } from './server.js';

const USAGE = `Usage: npm run bench:growth -- [--quick]

Prints what more rows, connections, revocations and housekeeping change. Run npm run build first.

--quick  10,000 rows instead of 1,000,000`;

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}
const ROWS = values.quick ? [1_000, 10_000] : [1_000, 100_000, 1_000_000];
const IDLE = values.quick ? 1_000 : 10_000;
const OVERDUE = values.quick ? 10_000 : 100_000;
const REVOKED = 10_000;
const SECONDS = 5;
const ROUNDS = 3;
/** Requests per second of the load beside housekeeping. */
const RATE = 1_000;
const WHOAMI = '/v1/whoami';

const middle = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

/** Measures some rounds, and prints their medians. */
async function measure(
  loader: Loader,
  server: Server,
  name: string,
  load: Load,
  path = WHOAMI,
): Promise<void> {
  const rounds: { cpu: number; perSecond: number; p50: number; p99: number; unexpected: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = { ...load, url: server.url + path };
    await loader.run({ ...order, seconds: 1 });
    const before = server.cpu();
    const { requests, p50, p99, unexpected } = await loader.run({ ...order, seconds: SECONDS });
    rounds.push({
      cpu: (server.cpu() - before) / requests,
      perSecond: requests / SECONDS,
      p50,
      p99,
      unexpected,
    });
  }
  const of = (field: keyof (typeof rounds)[0], digits = 0) =>
    middle(rounds.map((round) => round[field])).toFixed(digits);
  console.log(
    `${name.padEnd(44)}${of('cpu').padStart(8)}${of('perSecond').padStart(13)}${of('p50').padStart(8)}${of('p99').padStart(8)}${of('unexpected').padStart(9)}${`${server.memory()}`.padStart(8)}`,
  );
}

async function rows(place: Place, loader: Loader): Promise<Seed> {
  const cold = await startServer(place, 'cold', COLD);
  let all: Seed | undefined;
  let count = 0;
  try {
    for (const wanted of ROWS) {
      const made = await seed(place.database, wanted - count, AUDIENCE);
      all = all && {
        ...made,
        sessions: [...all.sessions, ...made.sessions],
        opaqueTokens: [...all.opaqueTokens, ...made.opaqueTokens],
        keys: [...all.keys, ...made.keys],
      };
      all ??= made;
      count = wanted;
      await measure(loader, cold, `session, cold, ${wanted} rows`, sessionsOf(all));
      await measure(loader, cold, `opaque token, cold, ${wanted} rows`, tokensOf(all));
      await measure(loader, cold, `API key, cold, ${wanted} rows`, keysOf(all));
    }
    return all!;
  } finally {
    await cold.stop();
  }
}

async function connections(place: Place, loader: Loader, seeded: Seed): Promise<void> {
  const warm = await startServer(place, 'warm', WARM);
  const bare = await startBare(place);
  const few = { ...sessionsOf(seeded), credentials: sessionsOf(seeded).credentials.slice(0, 100) };
  const none = { header: 'X-None', credentials: [], connections: 1_000 };
  try {
    await measure(loader, warm, 'session, warm', few);
    const open = await idleConnections(warm.url, IDLE);
    await measure(loader, warm, `session, warm, ${IDLE} idle connections`, few);
    const alive = open.filter((socket) => !socket.destroyed && socket.writable).length;
    console.log(`  ${alive} of them are still open`);
    for (const socket of open) socket.destroy();
    await measure(loader, bare, 'bare, 1,000 connections', none, '/health/live');
    await measure(loader, warm, 'public route, 1,000 connections', none, '/health/live');
    await measure(loader, warm, 'session, warm, 1,000 connections', { ...few, connections: 1_000 });
  } finally {
    await Promise.all([warm.stop(), bare.stop()]);
  }
}

async function revocations(place: Place, loader: Loader, seeded: Seed): Promise<void> {
  const database = new pg.Client({ connectionString: place.database });
  await database.connect();
  await database.query(
    `INSERT INTO revocations (kind, subject, expires_at)
     SELECT 'sign-in', gen_random_uuid(), now() + interval '1 hour' FROM generate_series(1, $1::int)`,
    [REVOKED],
  );
  await database.end();
  const warm = await startServer(place, 'revocations', WARM);
  const few = { ...sessionsOf(seeded), credentials: sessionsOf(seeded).credentials.slice(0, 100) };
  try {
    await measure(loader, warm, `session, warm, ${REVOKED} revocations`, few);
  } finally {
    await warm.stop();
  }
}

async function housekeeping(place: Place, loader: Loader, seeded: Seed): Promise<void> {
  const database = new pg.Client({ connectionString: place.database });
  await database.connect();
  await database.query(
    `WITH old AS (
       UPDATE sign_ins SET auth_time = auth_time - interval '90 days', created_at = created_at - interval '90 days',
         last_seen_at = last_seen_at - interval '90 days', idle_expires_at = idle_expires_at - interval '90 days',
         expires_at = expires_at - interval '90 days'
       WHERE id IN (SELECT sign_in_id FROM access_tokens LIMIT $1) RETURNING id)
     UPDATE access_tokens SET issued_at = issued_at - interval '90 days', expires_at = expires_at - interval '90 days',
       auth_time = auth_time - interval '90 days' WHERE sign_in_id IN (SELECT id FROM old)`,
    [OVERDUE],
  );
  await database.end();
  const server = await startServer(place, 'housekeeper', WARM, 'tools/bench/housekeeper.mjs');
  const few = sessionsOf(seeded).credentials.slice(0, 100);
  const order = {
    ...sessionsOf(seeded),
    credentials: few,
    url: server.url + WHOAMI,
    rate: RATE,
    seconds: SECONDS,
  };
  try {
    await loader.run(order);
    const alone = await loader.run(order);
    const began = performance.now();
    const done = server.signal('SIGUSR2', 'housekept').then(() => performance.now() - began);
    const beside = await loader.run(order);
    const took = await done;
    console.log(
      `housekeeping of ${OVERDUE} sign-ins and as many tokens took ${(took / 1000).toFixed(1)} s. ` +
        `p99 of ${RATE} session requests per second: ${alone.p99} ms alone, ${beside.p99} ms beside it`,
    );
  } finally {
    await server.stop();
  }
}

leaveProcessorToServer();
await inPlace(async (place) => {
  const loader = new Loader();
  try {
    console.log(
      `${''.padEnd(44)}${'CPU µs'.padStart(8)}${'requests/s'.padStart(13)}${'p50 ms'.padStart(8)}${'p99 ms'.padStart(8)}${'refused'.padStart(9)}${'MB'.padStart(8)}`,
    );
    const seeded = await rows(place, loader);
    await connections(place, loader, seeded);
    await revocations(place, loader, seeded);
    await housekeeping(place, loader, seeded);
  } finally {
    loader.stop();
  }
});
