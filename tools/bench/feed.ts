// npm run bench:feed: what the feed of revocations can carry. NOTIFY takes a lock at each commit.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { startEmbeddedPostgres } from '../dev-postgres/embedded-postgres.js';

const USAGE = `Usage: npm run bench:feed

Prints how many revocations per second one PostgreSQL announces to 0, 1, 10 and 100 nodes.`;

if (parseArgs({ options: { help: { type: 'boolean', short: 'h' } } }).values.help) {
  console.log(USAGE);
  process.exit();
}

const WRITERS = 8;
const SECONDS = 5;
const LISTENERS = [0, 1, 10, 100];
const CHANNEL = 'revocations';

const TABLE =
  'CREATE TABLE measured (subject text NOT NULL, since timestamptz, expires_at timestamptz NOT NULL)';
const REVOKE = `INSERT INTO measured (subject, since, expires_at) VALUES ($1, NULL, now() + interval '16 minutes')`;

async function open(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

/** Stores and announces revocations in transactions of their own, as the server does. */
async function write(client: pg.Client, end: number): Promise<number> {
  let done = 0;
  for (; performance.now() < end; done += 1) {
    const subject = uuidv7();
    await client.query('BEGIN');
    await client.query(REVOKE, [subject]);
    await client.query('SELECT pg_notify($1, $2)', [CHANNEL, JSON.stringify([['sign-in', subject, null]])]);
    await client.query('COMMIT');
  }
  return done;
}

async function measure(url: string, count: number): Promise<{ perSecond: number; received: number }> {
  const listeners = await Promise.all(Array.from({ length: count }, () => open(url)));
  let received = 0;
  for (const listener of listeners) {
    listener.on('notification', () => (received += 1));
    await listener.query(`LISTEN ${CHANNEL}`);
  }
  const writers = await Promise.all(Array.from({ length: WRITERS }, () => open(url)));
  const end = performance.now() + SECONDS * 1000;
  const written = await Promise.all(writers.map((writer) => write(writer, end)));
  const all = written.reduce((sum, one) => sum + one, 0);
  await Promise.all([...writers, ...listeners].map((client) => client.end()));
  return { perSecond: all / SECONDS, received: count === 0 ? 1 : received / (all * count) };
}

const directory = mkdtempSync(join(tmpdir(), 'bench-feed-'));
const postgres = await startEmbeddedPostgres({ directory });
try {
  const client = await open(postgres.url);
  await client.query(TABLE);
  await client.end();
  console.log('Nodes that listen   revocations/s   received within the time');
  for (const count of LISTENERS) {
    const { perSecond, received } = await measure(postgres.url, count);
    console.log(
      `${`${count}`.padStart(17)}${perSecond.toFixed(0).padStart(16)}${`${(received * 100).toFixed(0)} %`.padStart(27)}`,
    );
  }
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}
