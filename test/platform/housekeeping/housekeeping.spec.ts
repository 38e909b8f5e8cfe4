import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BATCH_SIZE, HousekeepingService } from '../../../src/platform/housekeeping/housekeeping.service.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { InProcessServer } from '../../support/in-process.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { sessionOf } from '../../support/modes/session.js';
import { PASSWORD, useStarted } from '../../support/server.js';

const DAY_MS = 86_400_000;
const housekeepingOf = ({ app }: InProcessServer) => app.get(HousekeepingService);

const count = async ({ dataSource }: InProcessServer, table: string, where = 'true'): Promise<number> => {
  const [{ n }] = await dataSource.query(`SELECT count(*)::int AS n FROM ${table} WHERE ${where}`);
  return n;
};

describe('the housekeeping', () => {
  const context = useStarted(() => InProcessServer.start());
  const run = () => housekeepingOf(context.server).run();
  const later = async (duration: string) => {
    context.server.clock.advance(duration);
    return run();
  };

  it('leaves alone what is alive', async () => {
    const ada = await context.server.person();
    const session = await sessionOf(ada);
    const token = await jwtOf(ada);
    const done = await run();
    expect(Object.values(done).filter((n) => n > 0)).toEqual([]);
    for (const client of [session, token])
      expect((await client.get('/v1/probes/principal')).status).toBe(200);
  });

  it('deletes ended and expired sign-ins after 30 days, with what carried them', async () => {
    const { server } = context;
    const ada = await server.person();
    const ended = await sessionOf(ada);
    await sessionOf(ada);
    await jwtOf(ada);
    await ended.delete('/v1/sessions/current');
    const where = `user_id = '${ada.id}'`;
    // The one that ended is over since now, the session after 7 days, the token pair after 30.
    await later('29d');
    expect(await count(server, 'sign_ins', where)).toBe(3);
    await later('25h');
    expect(await count(server, 'sign_ins', where)).toBe(2);
    await later('6d');
    expect(await count(server, 'sign_ins', where)).toBe(2);
    await later('1d');
    expect(await count(server, 'sign_ins', where)).toBe(1);
    await later('23d');
    expect(await count(server, 'sign_ins', where)).toBe(0);
    expect(await count(server, 'sessions')).toBe(0);
    expect(await count(server, 'token_grants')).toBe(0);
    server.clock.reset();
  });

  it('recognises a replay for as long as the family lives', async () => {
    const { server } = context;
    const { refreshToken: first } = await jwtOf(await server.person());
    const refresh = (refreshToken: string) => server.anonymous.post('/v1/tokens/refresh', { refreshToken });
    let newest: string = (await refresh(first)).body.refresh_token;
    for (let i = 0; i < 2; i += 1) {
      await later('13d');
      const { status, body } = await refresh(newest);
      expect(status).toBe(200);
      newest = body.refresh_token;
    }
    expect((await refresh(first)).status).toBe(401);
    expect(server.entries()).toContainEqual(expect.objectContaining({ event: 'refresh-token.reused' }));
    expect((await refresh(newest)).status).toBe(401);
    server.clock.reset();
  });

  it('deletes the tokens of a family a day after its end, before the sign-in', async () => {
    const { server } = context;
    const token = await jwtOf(await server.person());
    const family = `sign_in_id = '${token.claims['sid']}'`;
    await token.delete('/v1/sessions/current');
    await later('23h');
    expect(await count(server, 'refresh_tokens', family)).toBe(1);
    await later('61m');
    expect(await count(server, 'refresh_tokens', family)).toBe(0);
    expect(await count(server, 'sign_ins', `id = '${token.claims['sid']}'`)).toBe(1);
    server.clock.reset();
  });

  it('forgets the sealed successor when the grace is over', async () => {
    const { server } = context;
    const { refreshToken, claims } = await jwtOf(await server.person());
    const refresh = () => server.anonymous.post('/v1/tokens/refresh', { refreshToken });
    const sealed = () =>
      count(server, 'refresh_tokens', `sign_in_id = '${claims['sid']}' AND successor_sealed IS NOT NULL`);
    const { body } = await refresh();
    await later('8s');
    expect(await sealed()).toBe(1);
    expect((await refresh()).body.refresh_token).toBe(body.refresh_token);
    await later('2s');
    expect(await sealed()).toBe(0);
    server.clock.reset();
  });

  it('deletes links that expired', async () => {
    const { server } = context;
    await server.anonymous.post('/v1/users', {
      email: 'late@example.com',
      password: 'correct horse battery staple',
    });
    const mine = `user_id = (SELECT id FROM users WHERE email = 'late@example.com')`;
    await later('23h');
    expect(await count(server, 'email_verifications', mine)).toBe(1);
    await later('61m');
    expect(await count(server, 'email_verifications', mine)).toBe(0);
    server.clock.reset();
  });

  it('deletes opaque tokens that expired', async () => {
    const { server } = context;
    const { email } = await server.person();
    const body = { email, password: PASSWORD, format: 'opaque' };
    expect((await server.anonymous.post('/v1/tokens', body)).status).toBe(201);
    await later('9m');
    expect(await count(server, 'access_tokens')).toBe(1);
    await later('61s');
    expect(await count(server, 'access_tokens')).toBe(0);
    server.clock.reset();
  });

  it('deletes keys 90 days after they were revoked or have expired, with their usage', async () => {
    const { server } = context;
    const ada = await server.person();
    const session = await sessionOf(ada);
    const create = async (fields = {}) =>
      (await session.post('/v1/api-keys', { name: 'A key', scopes: ['probes:read'], ...fields })).body.id;
    const revoked = await create();
    const alive = await create();
    const expired = await create({ expiresAt: new Date(server.clock.now().getTime() + 1000).toISOString() });
    for (const id of [revoked, alive, expired])
      await server.dataSource.query(
        `INSERT INTO api_key_usage VALUES ($1, $2, 2, 1, 0)`,
        // Of an hour that is itself kept for longer than the keys.
        [id, new Date(server.clock.now().getTime() + 30 * DAY_MS)],
      );
    expect((await session.delete(`/v1/api-keys/${revoked}`)).status).toBe(204);
    const left = async (table: string, column: string) =>
      (
        await server.dataSource.query(`SELECT ${column} AS id FROM ${table} WHERE ${column} = ANY($1)`, [
          [revoked, alive, expired],
        ])
      ).map(({ id }: { id: string }) => id);
    await later('89d');
    expect(await left('api_keys', 'id')).toHaveLength(3);
    await later('25h');
    expect(await left('api_keys', 'id')).toEqual([alive]);
    expect(await left('api_key_usage', 'api_key_id')).toEqual([alive]);
    server.clock.reset();
  });

  it('keeps the first key of a line as long as there is another one of it', async () => {
    const { server } = context;
    const ada = await server.person();
    const session = await sessionOf(ada);
    const first = (await session.post('/v1/api-keys', { name: 'A key', scopes: ['probes:read'] })).body.id;
    const rotated = await session.post(`/v1/api-keys/${first}/rotation`, { overlapSeconds: 0 });
    const second = rotated.body.id;
    const left = () => count(server, 'api_keys', `owner_id = '${ada.id}'`);
    await later('91d');
    expect(await left()).toBe(2);
    await server.dataSource.query(`UPDATE api_keys SET revoked_at = now() WHERE id = $1`, [second]);
    await later('61m');
    expect(await left()).toBe(1);
    await later('61m');
    expect(await left()).toBe(0);
    server.clock.reset();
  });

  it('deletes an account that nobody confirmed after 7 days, unless somebody signed in to it', async () => {
    const { server } = context;
    const emails = ['never-used@example.com', 'used@example.com', 'confirmed@example.com'];
    for (const email of emails) await server.anonymous.post('/v1/users', { email, password: PASSWORD });
    const token = await server.mailedToken('confirmed@example.com');
    expect((await server.anonymous.put('/v1/email-verifications', { token })).status).toBe(204);
    const signIn = { email: 'used@example.com', password: PASSWORD };
    expect((await server.anonymous.post('/v1/sessions', signIn)).status).toBe(201);
    const left = async () =>
      (
        await server.dataSource.query('SELECT email FROM users WHERE email = ANY($1) ORDER BY email', [
          emails,
        ])
      ).map(({ email }: { email: string }) => email);
    await later('167h');
    expect(await left()).toHaveLength(3);
    await later('61m');
    expect(await left()).toEqual(['confirmed@example.com', 'used@example.com']);
    // Nor later, when its sign-in is deleted.
    await later('60d');
    expect(await left()).toEqual(['confirmed@example.com', 'used@example.com']);
    server.clock.reset();
  });

  it('deletes revocations that no living token needs', async () => {
    const { server } = context;
    const session = await sessionOf(await server.person());
    await session.delete('/v1/sessions/current');
    const mine = `subject = '${session.signInId}'`;
    await later('15m');
    expect(await count(server, 'revocations', mine)).toBe(1);
    await later('61s');
    expect(await count(server, 'revocations', mine)).toBe(0);
    server.clock.reset();
  });

  it('deletes a retired key when the last token of it is over', async () => {
    const { server } = context;
    const admin = await sessionOf(await server.administrator());
    expect((await admin.post('/v1/admin/signing-keys')).status).toBe(201);
    await later('15m');
    expect(await count(server, 'signing_keys', `status = 'retired'`)).toBe(1);
    await later('61s');
    expect(await count(server, 'signing_keys', `status = 'retired'`)).toBe(0);
    expect(await count(server, 'signing_keys')).toBe(2);
    server.clock.reset();
  });

  it('works in batches, to the end', async () => {
    const { server } = context;
    const rows = 2 * BATCH_SIZE + 1;
    await server.dataSource.query(
      `INSERT INTO revocations (kind, subject, expires_at) SELECT 'token', 'x' || i, now() - interval '1 day' FROM generate_series(1, $1) i`,
      [rows],
    );
    const log = server.log.length;
    expect((await run())['revocations']).toBe(rows);
    expect(await count(server, 'revocations', `subject LIKE 'x%'`)).toBe(0);
    expect(server.log.slice(log).join('')).not.toContain('error');
  });
});

describe('a task of the housekeeping', () => {
  const context = useStarted(() => InProcessServer.start());

  it('runs again while its batches are full, and no more often than it says', async () => {
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

  it('gets the time of the clock', async () => {
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

  it('that fails is logged once, undone, tried again, and keeps no other from running', async () => {
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

  it('leaves a task to the node that is at it', async () => {
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
