import { afterEach, describe, expect, it } from '@jest/globals';
import type { HousekeepingService } from '../../../src/platform/housekeeping/housekeeping.service.js';
import type { Client } from '../../support/client.js';
import { credentials, signIn, signInIdOf, signIns } from '../../support/modes/any.js';
// room: jwt
import { jwtOf } from '../../support/modes/jwt.js';
// /room
// room: sessions
import { sessionOf } from '../../support/modes/session.js';
// /room
import { PASSWORD, useServer } from '../../support/server.js';

const DAY_MS = 86_400_000;
/** Tasks that add something: the mail about a key without an expiry, and a seal of the audit log. */
const WRITING = ['api-key-warning-mails', 'audit-seals'];

describe('the housekeeping of the rooms', () => {
  const context = useServer();
  const run = () => context.server.provider<HousekeepingService>('HousekeepingService').run();
  const later = async (duration: string) => {
    await context.server.clock.advance(duration);
    return run();
  };
  const count = async (table: string, where = 'true'): Promise<number> =>
    (await context.server.query(`SELECT count(*)::int AS n FROM ${table} WHERE ${where}`))[0].n;
  afterEach(() => context.server.clock.reset());

  it('deletes nothing that is alive', async () => {
    const clients: Client[] = [];
    for (const { of } of credentials) clients.push(await of(context.server));
    const done = await run();
    expect(Object.entries(done).filter(([task, n]) => n > 0 && !WRITING.includes(task))).toEqual([]);
    for (const client of clients) expect((await client.get('/v1/probes/principal')).status).toBe(200);
  });

  // room: sessions, jwt
  it('[V14.2.7] deletes ended and expired sign-ins after 30 days, with what carried them', async () => {
    const { server } = context;
    const ada = await server.person();
    const ended = await sessionOf(ada);
    await sessionOf(ada);
    await jwtOf(ada);
    await ended.delete('/v1/sessions/current');
    const where = `user_id = '${ada.id}'`;
    // The one that ended is over since now, the session after 7 days, the token pair after 30.
    await later('29d');
    expect(await count('sign_ins', where)).toBe(3);
    await later('25h');
    expect(await count('sign_ins', where)).toBe(2);
    await later('6d');
    expect(await count('sign_ins', where)).toBe(2);
    await later('1d');
    expect(await count('sign_ins', where)).toBe(1);
    await later('23d');
    expect(await count('sign_ins', where)).toBe(0);
    expect(await count('sessions')).toBe(0);
    expect(await count('token_grants')).toBe(0);
  });
  // /room

  // room: jwt
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
    expect(await server.entries()).toContainEqual(expect.objectContaining({ event: 'refresh-token.reused' }));
    expect((await refresh(newest)).status).toBe(401);
  });
  // /room

  // room: jwt
  it('deletes the tokens of a family a day after its end, before the sign-in', async () => {
    const { server } = context;
    const token = await jwtOf(await server.person());
    const family = `sign_in_id = '${token.claims['sid']}'`;
    await token.delete('/v1/sessions/current');
    await later('23h');
    expect(await count('refresh_tokens', family)).toBe(1);
    await later('61m');
    expect(await count('refresh_tokens', family)).toBe(0);
    expect(await count('sign_ins', `id = '${token.claims['sid']}'`)).toBe(1);
  });
  // /room

  // room: jwt
  it('deletes the sealed successor after REFRESH_REUSE_GRACE', async () => {
    const { server } = context;
    const { refreshToken, claims } = await jwtOf(await server.person());
    const refresh = () => server.anonymous.post('/v1/tokens/refresh', { refreshToken });
    const sealed = () =>
      count('refresh_tokens', `sign_in_id = '${claims['sid']}' AND successor_sealed IS NOT NULL`);
    const { body } = await refresh();
    await later('8s');
    expect(await sealed()).toBe(1);
    expect((await refresh()).body.refresh_token).toBe(body.refresh_token);
    await later('2s');
    expect(await sealed()).toBe(0);
  });
  // /room

  // room: users
  it('deletes expired links', async () => {
    const { server } = context;
    await server.anonymous.post('/v1/users', {
      email: 'late@example.com',
      password: 'correct horse battery staple',
    });
    const mine = `user_id = (SELECT id FROM users WHERE email = 'late@example.com')`;
    await later('23h');
    expect(await count('email_verifications', mine)).toBe(1);
    await later('61m');
    expect(await count('email_verifications', mine)).toBe(0);
  });
  // /room

  // room: opaque-tokens
  it('deletes expired opaque tokens', async () => {
    const { server } = context;
    const { email } = await server.person();
    const body = { email, password: PASSWORD, format: 'opaque' };
    expect((await server.anonymous.post('/v1/tokens', body)).status).toBe(201);
    await later('9m');
    expect(await count('access_tokens')).toBe(1);
    await later('61s');
    expect(await count('access_tokens')).toBe(0);
  });
  // /room

  // room: own-api-keys, api-key-usage
  it('deletes keys 90 days after their revocation or expiry, with their usage', async () => {
    const { server } = context;
    const ada = await server.person();
    const session = await signIn(ada);
    const create = async (fields = {}) =>
      (await session.post('/v1/api-keys', { name: 'A key', scopes: ['probes:read'], ...fields })).body.id;
    const revoked = await create();
    const alive = await create();
    const expired = await create({
      expiresAt: new Date((await server.clock.now()).getTime() + 1000).toISOString(),
    });
    for (const id of [revoked, alive, expired])
      await server.query(
        `INSERT INTO api_key_usage VALUES ($1, $2, 2, 1, 0)`,
        // Of an hour that is itself kept for longer than the keys.
        [id, new Date((await server.clock.now()).getTime() + 30 * DAY_MS)],
      );
    expect((await session.delete(`/v1/api-keys/${revoked}`)).status).toBe(204);
    const left = async (table: string, column: string) =>
      (
        await server.query(`SELECT ${column} AS id FROM ${table} WHERE ${column} = ANY($1)`, [
          [revoked, alive, expired],
        ])
      ).map(({ id }: { id: string }) => id);
    await later('89d');
    expect(await left('api_keys', 'id')).toHaveLength(3);
    await later('25h');
    expect(await left('api_keys', 'id')).toEqual([alive]);
    expect(await left('api_key_usage', 'api_key_id')).toEqual([alive]);
  });
  // /room

  // room: own-api-keys
  it('keeps the first key of a lineage as long as another key of it exists', async () => {
    const { server } = context;
    const ada = await server.person();
    const session = await signIn(ada);
    const first = (await session.post('/v1/api-keys', { name: 'A key', scopes: ['probes:read'] })).body.id;
    const rotated = await session.post(`/v1/api-keys/${first}/rotation`, { overlapSeconds: 0 });
    const second = rotated.body.id;
    const left = () => count('api_keys', `owner_id = '${ada.id}'`);
    await later('91d');
    expect(await left()).toBe(2);
    await server.query(`UPDATE api_keys SET revoked_at = now() WHERE id = $1`, [second]);
    await later('61m');
    expect(await left()).toBe(1);
    await later('61m');
    expect(await left()).toBe(0);
  });
  // /room

  // room: sign-ins
  it('deletes an unconfirmed account after 7 days, unless somebody signed in to it', async () => {
    const { server } = context;
    const emails = ['never-used@example.com', 'used@example.com', 'confirmed@example.com'];
    for (const email of emails) await server.anonymous.post('/v1/users', { email, password: PASSWORD });
    const token = await server.mailedToken('confirmed@example.com');
    expect((await server.anonymous.put('/v1/email-verifications', { token })).status).toBe(204);
    const { path, fields } = signIns[0]!;
    const used = { email: 'used@example.com', password: PASSWORD, ...fields };
    expect((await server.anonymous.post(path, used)).status).toBe(201);
    const left = async () =>
      (await server.query('SELECT email FROM users WHERE email = ANY($1) ORDER BY email', [emails])).map(
        ({ email }: { email: string }) => email,
      );
    await later('167h');
    expect(await left()).toHaveLength(3);
    await later('61m');
    expect(await left()).toEqual(['confirmed@example.com', 'used@example.com']);
    // Nor later, when its sign-in is deleted.
    await later('60d');
    expect(await left()).toEqual(['confirmed@example.com', 'used@example.com']);
  });
  // /room

  // room: jwt
  it('deletes revocations that no living token needs', async () => {
    const { server } = context;
    const client = await signIn(await server.person());
    const mine = `subject = '${await signInIdOf(client)}'`;
    await client.delete('/v1/sessions/current');
    await later('15m');
    expect(await count('revocations', mine)).toBe(1);
    await later('61s');
    expect(await count('revocations', mine)).toBe(0);
  });
  // /room

  // room: jwt, admin
  it('deletes a retired signing key when its last token has expired', async () => {
    const { server } = context;
    const admin = await signIns[0]!.of(await server.administrator(), { scope: 'admin:signing-keys' });
    expect((await admin.post('/v1/admin/signing-keys')).status).toBe(201);
    await later('15m');
    expect(await count('signing_keys', `status = 'retired'`)).toBe(1);
    await later('61s');
    expect(await count('signing_keys', `status = 'retired'`)).toBe(0);
    expect(await count('signing_keys')).toBe(2);
  });
  // /room
});
