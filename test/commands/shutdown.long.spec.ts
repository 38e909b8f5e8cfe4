import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { Node } from '../support/nodes.js';
import { send } from '../support/raw-http.js';
import { until } from '../support/until.js';

describe('a server that is stopped', () => {
  let database: TestDatabase;
  let node: Node;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterEach(() => node.stop());
  afterAll(() => database.drop());

  const start = async (drainTime: string) => {
    node = await Node.start({ DATABASE_URL: database.url, DRAIN_TIME: drainTime });
  };
  const ask = (path: string) => send(node.url, 'GET', path);

  it('is not ready at once, and answers until DRAIN_TIME has passed', async () => {
    await start('6s');
    expect((await ask('/health/ready')).status).toBe(200);
    const stopped = performance.now();
    node.child.kill('SIGTERM');
    await until(async () => (await ask('/health/ready')).status === 503);
    const { headers, problem } = await ask('/health/ready');
    expect([problem, headers['retry-after']]).toEqual(['shutting-down', '1']);
    expect((await ask('/health/live')).status).toBe(200);
    expect((await ask('/v1/nowhere')).problem).toBe('not-found');
    expect(await node.exited).toBe(0);
    expect(performance.now() - stopped).toBeGreaterThan(5_900);
  });
});
