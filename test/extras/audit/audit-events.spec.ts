import { beforeAll, describe, expect, it } from '@jest/globals';
import type { SecurityLog } from '../../../src/platform/logging/security-log.js';
import type { AuditRecorder } from '../../../src/extras/audit/audit-recorder.js';
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { useServer } from '../../support/server.js';

type Event = Record<string, any>;

describe('GET /v1/audit-events', () => {
  const context = useServer();
  let ada: Person;
  let session: SessionClient;
  beforeAll(async () => {
    ada = await context.server.person();
    session = await sessionOf(ada);
  });

  const eventsOf = async (client: SessionClient, query = ''): Promise<Event[]> => {
    const { status, body } = await client.get(`/v1/audit-events${query}`);
    expect(status).toBe(200);
    return body.items;
  };

  it('shows a sign-in with its origin', async () => {
    const [event] = await eventsOf(session, '?type=sign-in.succeeded');
    expect(event).toMatchObject({
      type: 'sign-in.succeeded',
      result: 'allowed',
      ip: '127.0.0.1',
      requests: 1,
      details: { carrier: 'cookie', method: 'password' },
    });
    expect(Object.keys(event!)).not.toContain('subjectId');
  });

  it('shows a refused sign-in with its reason', async () => {
    const refused = await context.server.anonymous.post('/v1/sessions', {
      email: ada.email,
      password: 'not the password',
    });
    expect(refused.status).toBe(401);
    const [event] = await eventsOf(session, '?type=sign-in.refused');
    expect(event).toMatchObject({ result: 'refused', reason: 'wrong password', byMe: null });
  });

  it('names the credential and mode of a change', async () => {
    const created = await session.post('/v1/api-keys', { name: 'A', scopes: ['profile:read'] });
    expect(created.status).toBe(201);
    const [event] = await eventsOf(session, '?type=api-key.created');
    expect(event).toMatchObject({ mode: 'session', credentialId: created.body.id, byMe: true });
  });

  it('shows no events of another person', async () => {
    const bob = await sessionOf(await context.server.person());
    const types = (await eventsOf(bob)).map(({ type }) => type);
    expect(types).toEqual(['sign-in.succeeded']);
  });

  it('does not show the address and the credential of an administrator', async () => {
    const person = await context.server.person();
    const admin = await sessionOf(await context.server.administrator());
    expect((await admin.post(`/v1/admin/users/${person.id}/sign-out`)).status).toBe(204);
    const [event] = await eventsOf(await sessionOf(person), '?type=user.signed-out');
    expect(event).toMatchObject({
      byMe: false,
      ip: null,
      userAgent: null,
      mode: null,
      credentialId: null,
    });
  });

  it('pages by cursor, newest first, and filters by time', async () => {
    const all = await eventsOf(session, '?limit=100');
    const { body } = await session.get('/v1/audit-events?limit=2');
    const next = await session.get(`/v1/audit-events?limit=100&cursor=${body.nextCursor}`);
    expect([...body.items, ...next.body.items]).toEqual(all);
    const times = all.map(({ at }) => at as string);
    expect(times).toEqual(times.toSorted().toReversed());
    const { at } = all[1]!;
    const later = new Date(Date.parse(at) + 1).toISOString();
    expect(await eventsOf(session, `?from=${at}&to=${later}`)).toContainEqual(all[1]);
    expect(await eventsOf(session, `?from=${later}&limit=100`)).not.toContainEqual(all[1]);
    expect(await eventsOf(session, `?to=${at}&limit=100`)).not.toContainEqual(all[1]);
  });

  it.each(['type=a%27', 'from=yesterday', 'to=1', 'cursor=x', 'limit=0', 'user=x'])(
    '[V1.2.4] refuses the query %s',
    async (query) => {
      expect(await session.get(`/v1/audit-events?${query}`)).toMatchObject({ status: 400 });
    },
  );
});

describe('GET /v1/admin/audit-events', () => {
  const context = useServer();
  let ada: Person;
  let admin: SessionClient;
  beforeAll(async () => {
    ada = await context.server.person();
    admin = await sessionOf(await context.server.administrator());
  });

  it('is refused to a person without the role', async () => {
    const session = await sessionOf(ada);
    expect(await session.get('/v1/admin/audit-events')).toMatchObject({
      status: 403,
      problem: 'insufficient-scope',
    });
  });

  it('shows the events of all accounts, with who acted', async () => {
    await admin.put(`/v1/admin/users/${ada.id}/roles`, { roles: ['admin'] });
    const { body } = await admin.get('/v1/admin/audit-events?type=user.roles-changed');
    expect(body.items[0]).toMatchObject({
      accountId: ada.id,
      details: { roles: ['admin'] },
      ip: '127.0.0.1',
    });
    const [{ id }] = await context.server.query(`SELECT account_id AS id FROM audit_subjects WHERE id = $1`, [
      body.items[0].actorId,
    ]);
    expect(body.items[0].actorAccountId).toBe(id);
    expect(body.items[0].subjectId).not.toBe(ada.id);
  });

  it('sends all events as lines', async () => {
    await context.server.query(
      `INSERT INTO audit_events (id, at, type, result, requests, details)
       SELECT audit_bound(now() - make_interval(secs => n)), now(), 'test.event', 'allowed', 1, '{}'
       FROM generate_series(1, 2500) AS n`,
    );
    const answer = await fetch(`${context.server.url}/v1/admin/audit-events?type=test.event`, {
      headers: { cookie: `__Host-session=${admin.cookie}`, accept: 'application/x-ndjson' },
    });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = (await answer.text()).trimEnd().split('\n');
    const ids = lines.map((line) => JSON.parse(line).id as string);
    expect(new Set(ids).size).toBe(2500);
    expect(ids).toEqual(ids.toSorted().toReversed());
  });

  it('counts refused requests by minute, reason and address', async () => {
    for (let i = 0; i < 5; i += 1) await context.server.anonymous.get('/v1/users/me');
    const rows = () =>
      context.server.query(
        `SELECT e.requests, e.details, o.ip, e.subject_id FROM audit_events e LEFT JOIN audit_origins o ON o.event_id = e.id
         WHERE type = 'request.refused' AND details ->> 'problem' = 'credential-required'`,
      );
    await context.server.provider<AuditRecorder>('AuditRecorder').flush();
    await context.server.clock.advance('1m');
    await context.server.provider<AuditRecorder>('AuditRecorder').flush();
    const found: Event[] = await rows();
    expect(found.reduce((sum, { requests }) => sum + requests, 0)).toBe(5);
    expect(found.length).toBeLessThanOrEqual(2);
    expect(found[0]).toMatchObject({ ip: '127.0.0.1', subject_id: null });
    await context.server.clock.reset();
  });

  it('forgets a person, and keeps what happened', async () => {
    const bob = await context.server.person();
    await sessionOf(bob);
    await context.server.provider<AuditRecorder>('AuditRecorder').flush();
    const [{ id }] = await context.server.query('SELECT id FROM audit_subjects WHERE account_id = $1', [
      bob.id,
    ]);
    const origins = () =>
      context.server.query(
        'SELECT ip FROM audit_origins WHERE event_id IN (SELECT e.id FROM audit_events e WHERE subject_id = $1)',
        [id],
      );
    expect((await origins()).length).toBeGreaterThan(0);
    await context.server.query('DELETE FROM subjects WHERE id = $1', [bob.id]);
    expect(await origins()).toEqual([]);
    const { body } = await admin.get('/v1/admin/audit-events?type=sign-in.succeeded');
    expect(body.items.find((event: Event) => event['subjectId'] === id)).toMatchObject({
      accountId: null,
      ip: null,
      userAgent: null,
    });
  });
});

describe('the audit log', () => {
  const context = useServer();

  it.each(['UPDATE audit_events SET reason = $$x$$', 'DELETE FROM audit_events', 'TRUNCATE audit_events'])(
    'refuses %s',
    async (statement) => {
      await sessionOf(await context.server.person());
      await context.server.provider<AuditRecorder>('AuditRecorder').flush();
      await expect(context.server.query(statement)).rejects.toMatchObject({ code: '42501' });
    },
  );

  it('refuses a change of the account behind a subject', async () => {
    await context.server.person();
    const statement = 'UPDATE audit_subjects SET id = gen_random_uuid()';
    await expect(context.server.query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  describe('keeps what has no transaction', () => {
    const log = () => context.server.provider<SecurityLog>('SecurityLog');
    const flush = () => context.server.provider<AuditRecorder>('AuditRecorder').flush();
    const rows = (type: string): Promise<Event[]> =>
      context.server.query(
        `SELECT e.reason, e.requests, e.details, s.account_id FROM audit_events e
           LEFT JOIN audit_subjects s ON s.id = e.subject_id WHERE type = $1 ORDER BY e.id`,
        [type],
      );

    it('with characters that PostgreSQL refuses', async () => {
      await log().happened('test.characters', { reason: 'a\0b\uD800', names: ['\0'] });
      await flush();
      expect(await rows('test.characters')).toMatchObject([
        { reason: 'a\uFFFDb\uFFFD', details: { names: ['\uFFFD'] } },
      ]);
    });

    it('without a row whose values cannot be stored', async () => {
      await context.server.query(
        `ALTER TABLE audit_events ADD CONSTRAINT broken CHECK (1 / (type <> 'test.bad')::integer = 1) NOT VALID`,
      );
      await Promise.all(['good', 'bad', 'good'].map((name) => log().happened(`test.${name}`, {})));
      await flush();
      await context.server.query('ALTER TABLE audit_events DROP CONSTRAINT broken');
      expect(await rows('test.good')).toHaveLength(2);
      expect(await context.server.entries()).toContainEqual(
        expect.objectContaining({
          level: 'error',
          event: 'test.bad',
          msg: 'dropped an audit event that cannot be stored',
        }),
      );
    });

    it.each(['attempt.limited', 'refresh-token.refused'])(
      'as one row for each minute and account: %s',
      async (type) => {
        const { id: userId } = await context.server.person();
        for (let i = 0; i < 5; i += 1) await log().refused(type, { userId, limit: 'test', retryAfter: i });
        await flush();
        await context.server.clock.advance('1m');
        await flush();
        const found = (await rows(type)).filter(({ account_id }) => account_id === userId);
        expect(found.reduce((sum, { requests }) => sum + requests, 0)).toBe(5);
        expect(found.length).toBeLessThanOrEqual(2);
        expect(found[0]!['details']).toEqual({ limit: 'test' });
        await context.server.clock.reset();
      },
    );
  });

  it('refuses changes of each partition', async () => {
    const partitions: Event[] = await context.server.query(
      `SELECT inhrelid::regclass AS name FROM pg_inherits WHERE inhparent = 'audit_events'::regclass`,
    );
    expect(partitions.length).toBeGreaterThan(3);
    for (const { name } of partitions)
      await expect(context.server.query(`TRUNCATE ${name}`)).rejects.toMatchObject({ code: '42501' });
  });

  it('rolls a change back if its event cannot be kept', async () => {
    const ada = await context.server.person();
    const session = await sessionOf(ada);
    await context.server.query(
      `ALTER TABLE audit_events ADD CONSTRAINT broken CHECK (type <> 'api-key.created') NOT VALID`,
    );
    expect((await session.post('/v1/api-keys', { name: 'A', scopes: ['profile:read'] })).status).toBe(500);
    await context.server.query('ALTER TABLE audit_events DROP CONSTRAINT broken');
    expect((await session.get('/v1/api-keys')).body.items).toEqual([]);
  });
});
