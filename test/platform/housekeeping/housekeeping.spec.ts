import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BATCH_SIZE, HousekeepingService } from '../../../src/platform/housekeeping/housekeeping.service.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { InProcessServer } from '../../support/in-process.js';
import { useStarted } from '../../support/server.js';

const DAY_MS = 86_400_000;
const housekeepingOf = ({ app }: InProcessServer) => app.get(HousekeepingService);

const count = async ({ dataSource }: InProcessServer, table: string, where = 'true'): Promise<number> => {
  const [{ n }] = await dataSource.query(`SELECT count(*)::int AS n FROM ${table} WHERE ${where}`);
  return n;
};

describe('a task of the housekeeping', () => {
  const context = useStarted(() => InProcessServer.start());

  it('works in batches until nothing is left', async () => {
    const { server } = context;
    const rows = 2 * BATCH_SIZE + 1;
    await server.dataSource.query(
      `INSERT INTO revocations (kind, subject, expires_at) SELECT 'token', 'x' || i, now() - interval '1 day' FROM generate_series(1, $1) i`,
      [rows],
    );
    const log = server.log.length;
    expect((await housekeepingOf(server).run())['revocations']).toBe(rows);
    expect(await count(server, 'revocations', `subject LIKE 'x%'`)).toBe(0);
    expect(server.log.slice(log).join('')).not.toContain('error');
  });

  it('runs again while its batches are full, and at most once per interval', async () => {
    const housekeeping = housekeepingOf(context.server);
    const batches = [BATCH_SIZE, BATCH_SIZE, 3];
    const limits: number[] = [];
    const task = {
      name: 'hourly',
      everyMs: 3_600_000,
      run: async (_now: Date, limit: number) => (limits.push(limit), batches.shift() ?? 0),
    };
    housekeeping.register(task);
    expect(() => housekeeping.register(task)).toThrow('registered twice');
    expect((await housekeeping.run())['hourly']).toBe(2 * BATCH_SIZE + 3);
    expect(limits).toEqual([BATCH_SIZE, BATCH_SIZE, BATCH_SIZE]);
    context.server.clock.advance('59m');
    expect(await housekeeping.run()).not.toHaveProperty('hourly');
    context.server.clock.advance('2m');
    expect((await housekeeping.run())['hourly']).toBe(0);
    // Setting the time of day back or forward is no reason to wait longer, nor to run earlier.
    context.server.clock.reset();
    expect(await housekeeping.run()).not.toHaveProperty('hourly');
    context.server.clock.advance('61m');
    expect((await housekeeping.run())['hourly']).toBe(0);
  });

  it('uses the injected clock', async () => {
    const { server } = context;
    const times: number[] = [];
    housekeepingOf(server).register({
      name: 'times',
      run: async (now) => (times.push(now.getTime()), 0),
    });
    await housekeepingOf(server).run();
    server.clock.advance('30d');
    await housekeepingOf(server).run();
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(30 * DAY_MS);
  });

  it('that fails is logged once, rolled back and retried, and does not stop other tasks', async () => {
    const { server } = context;
    const housekeeping = housekeepingOf(server);
    let failing = true;
    housekeeping.register({
      name: 'faulty',
      run: async (_now, _limit, manager) => {
        await manager.query(
          `INSERT INTO revocations (kind, subject, expires_at) VALUES ('token', 'faulty', now() + interval '1 year')`,
        );
        if (failing) throw new Error('it failed');
        return 1;
      },
    });
    let others = 0;
    housekeeping.register({ name: 'other', run: async () => ((others += 1), 0) });
    for (let i = 0; i < 3; i += 1) await housekeeping.run();
    expect(others).toBe(3);
    expect(await count(server, 'revocations', `subject = 'faulty'`)).toBe(0);
    const logged = server.entries().filter(({ msg }) => String(msg).startsWith('housekeeping failed'));
    expect(logged).toEqual([expect.objectContaining({ task: 'faulty', level: expect.anything() })]);
    failing = false;
    expect((await housekeeping.run())['faulty']).toBe(1);
  });
});

describe('the housekeeping of several nodes', () => {
  const nodes: InProcessServer[] = [];
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
    for (let i = 0; i < 2; i += 1)
      nodes.push(await InProcessServer.start({ database, env: i === 0 ? {} : { DATABASE_POOL_SIZE: '1' } }));
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop().catch(() => undefined);
    await database.drop();
  });

  it('leaves a task to the node that runs it', async () => {
    const [a, b] = nodes.map(housekeepingOf) as [HousekeepingService, HousekeepingService];
    let begun!: () => void;
    const atWork = new Promise<void>((resolve) => (begun = resolve));
    let finish!: () => void;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    let ranOnB = 0;
    a.register({ name: 'slow', run: async () => (begun(), await finished, 1) });
    b.register({ name: 'slow', run: async () => ((ranOnB += 1), 1) });

    const onA = a.run();
    await atWork;
    const onB = await b.run();
    finish();
    expect({ a: (await onA)['slow'], b: onB['slow'], ranOnB }).toEqual({ a: 1, b: 0, ranOnB: 0 });
    expect((await b.run())['slow']).toBe(1);
  });

  it('does the work once', async () => {
    await nodes[0]!.dataSource.query(
      `INSERT INTO revocations (kind, subject, expires_at) SELECT 'token', 'x' || i, now() - interval '1 day' FROM generate_series(1, 2500) i`,
    );
    const done = await Promise.all(nodes.map((node) => housekeepingOf(node).run()));
    const after = await housekeepingOf(nodes[0]!).run();
    const total = [...done, after].reduce((sum, { revocations = 0 }) => sum + revocations, 0);
    expect(total).toBe(2500);
    expect(await count(nodes[0]!, 'revocations', `subject LIKE 'x%'`)).toBe(0);
  });

  it('finishes its batch before the node stops, and begins no other', async () => {
    const [, node] = nodes as [InProcessServer, InProcessServer];
    let begun!: () => void;
    const atWork = new Promise<void>((resolve) => (begun = resolve));
    let batches = 0;
    housekeepingOf(node).register({
      name: 'endless',
      run: async (_now, limit, manager) => {
        batches += 1;
        begun();
        await manager.query('SELECT pg_sleep(0.2)');
        return limit;
      },
    });
    const running = housekeepingOf(node).run();
    await atWork;
    await node.app.close();
    expect((await running)['endless']).toBe(BATCH_SIZE);
    expect(batches).toBe(1);
    expect(await housekeepingOf(node).run()).toEqual({});
    expect(node.entries().filter(({ msg }) => String(msg).startsWith('housekeeping failed'))).toEqual([]);
  });
});
