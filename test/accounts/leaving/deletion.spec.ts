import pg from 'pg';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Barrier, meet, pastDeadlockCheck } from '../../support/barrier.js';
import type { Client } from '../../support/client.js';
import { administer, signIn, signInIdOf, signIns } from '../../support/modes/any.js';
import { PASSWORD, useServer } from '../../support/server.js';

const PATH = '/v1/users/me';

describe('the deletion of an account', () => {
  const context = useServer();
  // What nobody expected is logged as an error.
  let logged = 0;
  afterEach(async () => {
    await context.server.clock.reset();
    const entries = await context.server.entries();
    const errors = entries.slice(logged).filter(({ level }) => level === 'error');
    logged = entries.length;
    expect(errors).toEqual([]);
  });

  const isThere = async (id: string) =>
    (await context.server.query('SELECT 1 FROM users WHERE id = $1', [id])).length > 0;
  const statusOf = async (client: Client) => (await client.get('/v1/whoami')).status;
  const attempt = (email: string) =>
    context.server.anonymous.post(signIns[0]!.path, { email, password: PASSWORD, ...signIns[0]!.fields });

  it('[V14.3.1] signs the browser out, and tells the person', async () => {
    const { server } = context;
    const ada = await server.person();
    const answer = await (await signIn(ada)).delete(PATH);
    expect(answer).toMatchObject({ status: 204, body: undefined });
    expect(answer.cookieNames).not.toEqual([]);
    expect(new Set(Object.values(answer.cookies))).toEqual(new Set(['']));
    expect(answer.headers.get('clear-site-data')).toBe('"storage"');
    expect((await attempt(ada.email)).status).toBe(401);
    const mail = (await server.mails()).findLast((text) => text.includes(`To: ${ada.email}`));
    expect(mail).toContain('Your account was deleted');
  });

  it('leaves nothing of the person but what the documentation names', async () => {
    const { server } = context;
    const ada = await server.person({ email: 'leaving@example.com' });
    const session = await signIn(ada);
    const { id: probe } = (await session.post('/v1/probes', { note: 'A probe' })).body;
    // room: recovery
    await session.put('/v1/users/me/email', { email: 'leaving-soon@example.com' });
    await server.anonymous.post('/v1/password-resets', { email: ada.email });
    // /room
    await server.mails();
    expect((await session.delete(PATH)).status).toBe(204);
    await server.mails();
    const tables: { name: string }[] = await server.query(
      `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = current_schema()`,
    );
    const found: string[] = [];
    for (const { name } of tables) {
      const rows: { row: string }[] = await server.query(`SELECT t::text AS row FROM ${name} t`);
      const all = rows.map(({ row }) => row).join('\n');
      if ([ada.id, 'leaving', probe].some((trace) => all.includes(trace))) found.push(name);
    }
    expect(found).toEqual(['revocations']);
  });

  it('lets the address register anew, as another account', async () => {
    const { server } = context;
    const ada = await server.person();
    await (await signIn(ada)).delete(PATH);
    await server.anonymous.post('/v1/users', { email: ada.email, password: PASSWORD });
    const [user] = await server.query('SELECT id FROM users WHERE email = $1', [ada.email]);
    expect([user.id === ada.id, (await attempt(ada.email)).status]).toEqual([false, 201]);
  });

  describe('is refused', () => {
    it('to the last administrator', async () => {
      const { server } = context;
      const admin = await server.administrator();
      const session = await administer(admin);
      expect(await session.delete(PATH)).toMatchObject({ status: 409, problem: 'last-administrator' });
      expect([await isThere(admin.id), await statusOf(session)]).toEqual([true, 200]);
      const disabled = await server.administrator();
      await server.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [disabled.id]);
      expect((await session.delete(PATH)).status).toBe(409);
      await server.administrator();
      expect((await session.delete(PATH)).status).toBe(204);
      await server.query(
        `DELETE FROM subjects WHERE id IN (SELECT id FROM users WHERE 'admin' = ANY (roles))`,
      );
    });

    it('to the second of two administrators who leave at once', async () => {
      const { server } = context;
      const admins = [await server.administrator(), await server.administrator()];
      const sessions = await Promise.all(admins.map((admin) => administer(admin)));
      for (const session of sessions) await session.post('/v1/probes', { note: 'A probe' });
      // In the middle of the deletion, before the check for another administrator.
      const answers = await meet(
        server,
        {
          lock: 'SELECT 1 FROM probes WHERE owner_id = ANY($1::uuid[]) FOR UPDATE',
          parameters: [admins.map(({ id }) => id)],
        },
        sessions.map((session) => () => session.delete(PATH)),
      );
      expect(answers.map(({ status }) => status)).toEqual([204, 409]);
      await server.query(
        `DELETE FROM subjects WHERE id IN (SELECT id FROM users WHERE 'admin' = ANY (roles))`,
      );
    });

    it('by an old sign-in', async () => {
      const ada = await context.server.person();
      const session = await signIn(ada);
      await context.server.clock.advance('11m');
      expect(await session.delete(PATH)).toMatchObject({
        status: 401,
        problem: 'insufficient-user-authentication',
      });
      expect(await isThere(ada.id)).toBe(true);
    });

    it('by a sign-in that ends while the request waits', async () => {
      const ada = await context.server.person();
      const session = await signIn(ada);
      const answers = await meet(
        context.server,
        { lock: 'SELECT 1 FROM sign_ins WHERE id = $1 FOR UPDATE', parameters: [await signInIdOf(session)] },
        [() => session.delete('/v1/sessions/current'), () => session.delete(PATH)],
      );
      expect(answers.map(({ status }) => status)).toEqual([204, 401]);
      expect(await isThere(ada.id)).toBe(true);
    });
  });

  it('[V15.4.3] is tried again where it meets another transaction in a deadlock', async () => {
    const { server } = context;
    const ada = await server.person();
    const session = await signIn(ada);
    await session.post('/v1/probes', { note: 'A probe' });
    const url = server.config.DATABASE_URL!;
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    const barrier = await Barrier.hold(url, 'SELECT 1 FROM sign_ins WHERE id = $1 FOR UPDATE', [
      await signInIdOf(session),
    ]);
    await other.query('BEGIN');
    await other.query('SELECT 1 FROM probes WHERE owner_id = $1 FOR UPDATE', [ada.id]);
    // The deletion holds the row of the user, and waits for the row of the sign-in.
    const answer = session.delete(PATH);
    await barrier.waiting(1);
    const waits = other.query('SELECT 1 FROM users WHERE id = $1 FOR UPDATE', [ada.id]);
    await barrier.waiting(2);
    // From then on only the deletion can find a deadlock.
    await pastDeadlockCheck(server, other);
    await barrier.release();
    // The deletion gives way.
    await waits;
    await other.query('COMMIT');
    await other.end();
    expect((await answer).status).toBe(204);
    const [{ deadlocks }] = await server.query(
      'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
    );
    expect([deadlocks > 0, await isThere(ada.id)]).toEqual([true, false]);
  });

  it('answers 404 to a request under way that needs the account', async () => {
    const { server } = context;
    const ada = await server.person();
    const [session, other] = [await signIn(ada), await signIn(ada)];
    const answers = await meet(server, { lock: 'LOCK TABLE probes IN ACCESS EXCLUSIVE MODE' }, [
      () => session.delete(PATH),
      () => other.post('/v1/probes', { note: 'A probe' }),
    ]);
    expect(answers[0]!.status).toBe(204);
    expect(answers[1]).toMatchObject({ status: 404, problem: 'not-found' });
  });
});
