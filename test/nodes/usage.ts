import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Client } from '../support/client.js';
import { apiKeyOf, type KeyClient } from '../support/modes/api-key.js';
import { Node } from '../support/nodes.js';
import { until } from '../support/until.js';
import { three } from './three-nodes.js';

const CLIENTS = 12;
const UNLIMITED = { rateLimit: { requests: 1_000_000, windowSeconds: 600 } };
const callerOf = (node: Node, key: KeyClient) => new Client(node.url, three.server.secrets, key.headers);

/** Calls a node until it is gone. Returns how often it answered. */
async function callUntilGone(
  node: Node,
  key: KeyClient,
  onAnswer: (answers: number) => void,
): Promise<number> {
  const caller = callerOf(node, key);
  for (let answers = 0; ; onAnswer(answers)) {
    if (!(await caller.get('/v1/users/me').catch(() => undefined))) return answers;
    answers += 1;
  }
}

async function countOf({ id }: { id: string }): Promise<number> {
  const [row] = await three.server.query(
    'SELECT coalesce(sum(requests), 0)::int AS n FROM api_key_usage WHERE api_key_id = $1',
    [id],
  );
  return row.n;
}

describe('usage of a key, counted by three nodes', () => {
  const keyFor = async () => apiKeyOf(await three.server.person(), ['profile:read'], UNLIMITED);

  it('is counted to the request: 10,000 of 10,000', async () => {
    const key = await keyFor();
    let left = 10_000;
    const client = async (i: number) => {
      const node = three.at(i % 3, key);
      while (left > 0) {
        left -= 1;
        expect((await node.get('/v1/users/me')).status).toBe(200);
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
    for (let i = 0; i < 20; i += 1) await callerOf(killed, key).get('/v1/users/me');
    await until(async () => (await countOf(key)) >= 20);
    const answered = await callUntilGone(killed, key, (answers) => {
      if (answers === 20) killed.child.kill('SIGKILL');
    });
    await killed.exited;
    const counted = await countOf(key);
    expect(counted).toBeGreaterThanOrEqual(20);
    // The node may have counted one more request, whose answer was lost with it.
    expect(counted).toBeLessThanOrEqual(20 + answered + 1);

    const next = await start();
    const caller = callerOf(next, key);
    for (let i = 0; i < 5; i += 1) await caller.get('/v1/users/me');
    await next.stop();
    await rm(directory, { recursive: true });
    expect(await countOf(key)).toBe(counted + 5);
  });
});
