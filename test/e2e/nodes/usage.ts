import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Client } from '../../support/client.js';
import { Node } from '../../support/nodes.js';
import type { KeyClient } from '../../support/person.js';
import { until } from '../../support/until.js';
import { three } from './three-nodes.js';

const CLIENTS = 12;
const UNLIMITED = { rateLimit: { requests: 1_000_000, windowSeconds: 600 } };
/** For how long counts stay in memory, and what a loaded machine may add. */
const FLUSH_INTERVAL_MS = 2_000;
const SLACK_MS = 3_000;

const callerOf = (node: Node, key: KeyClient) => new Client(node.url, three.server.secrets, key.headers);

/** Calls a node over and over; kills it in the middle of an interval. When each call was answered, in milliseconds. */
async function callUntilKilled(node: Node, key: KeyClient): Promise<number[]> {
  const answeredAt: number[] = [];
  const caller = callerOf(node, key);
  setTimeout(() => node.child.kill('SIGKILL'), FLUSH_INTERVAL_MS * 1.5);
  for (;;) {
    const answer = await caller.get('/v1/whoami').catch(() => undefined);
    if (!answer) return answeredAt;
    answeredAt.push(Date.now());
    await sleep(5);
  }
}

async function countOf({ id }: { id: string }): Promise<number> {
  const [row] = await three.server.dataSource.query(
    'SELECT coalesce(sum(requests), 0)::int AS n FROM api_key_usage WHERE api_key_id = $1',
    [id],
  );
  return row.n;
}

describe('usage of a key, counted by three nodes', () => {
  const keyFor = async () => (await three.server.person()).apiKey(['orders:read'], UNLIMITED);

  it('is counted to the request: 10,000 of 10,000', async () => {
    const key = await keyFor();
    let left = 10_000;
    const client = async (i: number) => {
      const node = three.at(i % 3, key);
      while (left > 0) {
        left -= 1;
        expect((await node.get('/v1/whoami')).status).toBe(200);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, i) => client(i)));
    await until(async () => (await countOf(key)) >= 10_000);
    expect(await countOf(key)).toBe(10_000);
  });

  it('loses no more than what a killed node counted since its last batch, and doubles nothing', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'auth-modes-killed-'));
    const start = () => Node.start({ DATABASE_URL: three.database.url, DATA_DIRECTORY: directory });
    const key = await keyFor();
    const killed = await start();
    const answeredAt = await callUntilKilled(killed, key);
    const endedAt = Date.now();
    await killed.exited;
    // Writers have UUIDv7s: the killed one is the youngest.
    const [last] = await three.server.dataSource.query(
      'SELECT written_at AS at FROM usage_writers ORDER BY id DESC LIMIT 1',
    );
    const writtenAt: number = last.at.getTime();
    const counted = await countOf(key);
    const before = answeredAt.filter((time) => time < writtenAt - 100).length;
    expect(endedAt - writtenAt).toBeLessThan(FLUSH_INTERVAL_MS + SLACK_MS);
    expect(before).toBeGreaterThan(20);
    expect(counted).toBeGreaterThanOrEqual(before);
    // The last one may have been answered without anybody to hear it.
    expect(counted).toBeLessThanOrEqual(answeredAt.length + 1);

    const next = await start();
    const caller = callerOf(next, key);
    for (let i = 0; i < 5; i += 1) await caller.get('/v1/whoami');
    await next.stop();
    await rm(directory, { recursive: true });
    expect(await countOf(key)).toBe(counted + 5);
  });
});
