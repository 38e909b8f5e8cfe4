import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from '../../support/client.js';
import { administer, type TokenHolder, tokens } from '../../support/modes/any.js';
// room: jwt
import { claimsOf, jwtOf } from '../../support/modes/jwt.js';
// /room
import type { Person } from '../../support/person.js';
import { PASSWORD, type TestServer, useServer } from '../../support/server.js';

const REFUSED = { status: 401, problem: 'invalid-refresh-token' };
const NO_TOKEN = { status: 401, problem: 'invalid-credential' };
const { of: tokenOf, from } = tokens[0]!;

const refreshOn = (server: TestServer, refreshToken: string): Promise<Answer> =>
  server.anonymous.post('/v1/tokens/refresh', { refreshToken });

/** A client with the pair that a refresh answered. */
const next = (server: TestServer, answer: Answer): TokenHolder => {
  expect(answer.status).toBe(200);
  return from(server.url, server.secrets, { ...answer, status: 201 });
};

describe('POST /v1/tokens/refresh', () => {
  const context = useServer();
  let ada: Person;
  beforeAll(async () => {
    ada = await context.server.person();
  });
  afterEach(() => context.server.clock.reset());

  const refresh = (refreshToken: string) => refreshOn(context.server, refreshToken);
  const rotated = async ({ refreshToken }: TokenHolder) => next(context.server, await refresh(refreshToken));
  /** The sign-in of a token, also after its end. */
  const familyOf = async ({ refreshToken }: TokenHolder): Promise<string> => {
    const [{ id }] = await context.server.query(
      'SELECT sign_in_id AS id FROM refresh_tokens WHERE token_hash = sha256($1::text::bytea)',
      [refreshToken],
    );
    return id;
  };
  const rows = async (token: TokenHolder): Promise<any[]> =>
    context.server.query('SELECT * FROM refresh_tokens WHERE sign_in_id = $1 ORDER BY created_at, id', [
      await familyOf(token),
    ]);
  /** That the last refresh token, and the time for which the sign-in may idle, end with the sign-in. */
  const expectOneEnd = async (token: TokenHolder): Promise<void> => {
    const [ends] = await context.server.query(
      `SELECT s.expires_at AS sign_in, s.idle_expires_at AS idle, t.expires_at AS token
       FROM sign_ins s JOIN refresh_tokens t ON t.sign_in_id = s.id AND t.used_at IS NULL WHERE s.id = $1`,
      [await familyOf(token)],
    );
    expect([ends.idle, ends.token]).toEqual([ends.sign_in, ends.sign_in]);
  };

  const mailsTo = async ({ email }: Person) =>
    (await context.server.mails()).filter((mail) => mail.includes(`To: ${email}`));

  describe('the next pair', () => {
    it('is a token response with another of each', async () => {
      const first = await tokenOf(ada);
      const { status, headers, body } = await refresh(first.refreshToken);
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          access_token: expect.any(String),
          token_type: 'Bearer',
          expires_in: 600,
          scope: (await first.get('/v1/probes/principal')).body.scopes.join(' '),
          refresh_token: expect.stringMatching(/^rt_[\w-]{43}$/),
        },
      });
      expect(headers.get('cache-control')).toBe('no-store');
      expect(body.refresh_token).not.toBe(first.refreshToken);
      expect(body.access_token).not.toBe(first.accessToken);
    });

    // room: jwt
    it('keeps sign-in, scope, audience and client', async () => {
      const first = await jwtOf(ada, { scope: 'probes:read sessions:read' });
      const claims = claimsOf((await rotated(await rotated(first))).accessToken);
      const { jti, iat, exp, ...kept } = first.claims;
      expect(claims).toEqual({
        ...kept,
        jti: expect.not.stringMatching(jti),
        iat: expect.any(Number),
        exp: claims['iat'] + (exp - iat),
      });
    });
    // /room

    it('works beside the access token from before, until that expires', async () => {
      const first = await tokenOf(ada);
      const second = await rotated(first);
      for (const token of [first, second]) expect((await token.get('/v1/probes/principal')).status).toBe(200);
    });

    it('can be refreshed again and again', async () => {
      let token = await tokenOf(ada);
      for (let i = 0; i < 5; i += 1) token = await rotated(token);
      expect((await token.get('/v1/probes/principal')).status).toBe(200);
      expect(await rows(token)).toHaveLength(6);
    });

    it('shows in the list of sign-ins when it was last used', async () => {
      const token = await tokenOf(ada);
      await context.server.clock.advance('5m');
      const { body } = await (await rotated(token)).get('/v1/sessions/current');
      expect(Date.parse(body.lastSeenAt) - Date.parse(body.createdAt)).toBeGreaterThanOrEqual(300_000);
    });

    it('keeps auth_time: routes that need a recent sign-in still refuse', async () => {
      const first = await tokenOf(await context.server.person());
      const { authTime } = (await first.get('/v1/probes/principal')).body;
      await context.server.clock.advance('11m');
      const second = await rotated(first);
      expect((await second.get('/v1/probes/principal')).body.authTime).toBe(authTime);
      const body = { currentPassword: PASSWORD, newPassword: `another ${PASSWORD}` };
      const answer = await second.put('/v1/users/me/password', body);
      expect(answer).toMatchObject({ status: 401, problem: 'insufficient-user-authentication' });
      expect(answer.challenges).toContain('max_age="600"');
    });
  });

  describe('a token that was used', () => {
    it('has the same successor within the grace', async () => {
      const first = await tokenOf(ada);
      const second = await rotated(first);
      await context.server.clock.advance('4s');
      const again = await rotated(first);
      expect(again.refreshToken).toBe(second.refreshToken);
      expect(again.accessToken).not.toBe(second.accessToken);
      expect(await familyOf(await rotated(again))).toBe(await familyOf(first));
      expect(await mailsTo(ada)).not.toContainEqual(expect.stringContaining('signed out for your safety'));
    });

    it('[V10.4.5] [RFC 9700 2.2.2] ends the family after the grace', async () => {
      const mallory = await context.server.person();
      const first = await tokenOf(mallory);
      const bystander = await tokenOf(mallory);
      const second = await rotated(first);
      await context.server.clock.advance('11s');
      const logged = (await context.server.log()).length;

      expect(await refresh(first.refreshToken)).toMatchObject(REFUSED);
      for (const token of [first, second])
        expect(await token.get('/v1/probes/principal')).toMatchObject(NO_TOKEN);
      expect(await refresh(second.refreshToken)).toMatchObject(REFUSED);
      expect((await bystander.get('/v1/probes/principal')).status).toBe(200);

      const entries = (await context.server.entries()).slice(logged);
      expect(entries).toContainEqual(
        expect.objectContaining({
          level: 'warn',
          event: 'refresh-token.reused',
          userId: mallory.id,
          credentialId: await familyOf(first),
        }),
      );
      expect(await mailsTo(mallory)).toEqual([
        expect.stringContaining('You were signed out for your safety'),
      ]);
    });

    it('[RFC 9700 4.14] ends the family once, with one mail', async () => {
      const grace = await context.server.person();
      const first = await tokenOf(grace);
      await rotated(first);
      await context.server.clock.advance('11s');
      const before = (await mailsTo(grace)).length;
      for (let i = 0; i < 3; i += 1) expect(await refresh(first.refreshToken)).toMatchObject(REFUSED);
      expect(await mailsTo(grace)).toHaveLength(before + 1);
    });

    it('ends the family within the grace too, once the successor was used', async () => {
      const first = await tokenOf(ada);
      const second = await rotated(first);
      const third = await rotated(second);
      expect(await refresh(first.refreshToken)).toMatchObject(REFUSED);
      expect(await third.get('/v1/probes/principal')).toMatchObject(NO_TOKEN);
      expect(await refresh(third.refreshToken)).toMatchObject(REFUSED);
    });

    it('answers like an unknown token', async () => {
      const first = await tokenOf(ada);
      await rotated(await rotated(first));
      const reused = await refresh(first.refreshToken);
      const unknown = await refresh(`rt_${'A'.repeat(43)}`);
      expect({ ...reused.body, instance: '' }).toEqual({ ...unknown.body, instance: '' });
      expect(reused.challenges).toBe(unknown.challenges);
    });
  });

  describe('expiry', () => {
    it('comes after REFRESH_TOKEN_IDLE_TTL without use', async () => {
      const token = await tokenOf(ada);
      await context.server.clock.advance('13d');
      const used = await rotated(token);
      await context.server.clock.advance('13d');
      expect((await used.get('/v1/probes/principal')).status).toBe(401);
      const again = await rotated(used);
      await context.server.clock.advance('3d');
      await rotated(again);

      const idle = await tokenOf(ada);
      await context.server.clock.advance('14d');
      expect(await refresh(idle.refreshToken)).toMatchObject(REFUSED);
    });

    it('is postponed by a reauthentication as by a refresh', async () => {
      const { clock } = context.server;
      const token = await tokenOf(ada);
      await clock.advance('9m');
      const { body } = await token.post('/v1/sessions/current/reauthentication', { password: PASSWORD });
      await clock.advance('20159m');
      expect((await refresh(body.refresh_token)).status).toBe(200);
    });

    it('[V10.4.8] comes after REFRESH_TOKEN_TTL, however much it is used', async () => {
      let token = await tokenOf(ada);
      for (const duration of ['10d', '10d', '9d']) {
        await context.server.clock.advance(duration);
        token = await rotated(token);
      }
      await expectOneEnd(token);
      const proved = await token.post('/v1/sessions/current/reauthentication', { password: PASSWORD });
      token = next(context.server, proved);
      await expectOneEnd(token);
      await context.server.clock.advance('1d');
      expect(await refresh(token.refreshToken)).toMatchObject(REFUSED);
      expect(await token.get('/v1/probes/principal')).toMatchObject(NO_TOKEN);
    });
  });

  describe('whatever ends first', () => {
    it.each([
      ['the refresh token', "UPDATE refresh_tokens SET expires_at = 'epoch' WHERE sign_in_id = $1", 204],
      ['the sign-in for want of use', "UPDATE sign_ins SET idle_expires_at = 'epoch' WHERE id = $1", 401],
      ['the sign-in', "UPDATE sign_ins SET expires_at = 'epoch' WHERE id = $1", 401],
      [
        'the user',
        "UPDATE users u SET status = 'disabled' FROM sign_ins s WHERE s.id = $1 AND u.id = s.user_id",
        401,
      ],
    ])('ends it: %s', async (_what, update, accessToken) => {
      const token = await tokenOf(await context.server.person());
      await context.server.query(update, [await familyOf(token)]);
      expect(await refresh(token.refreshToken)).toMatchObject(REFUSED);
      // This route looks the sign-in up.
      expect((await token.delete('/v1/sessions')).status).toBe(accessToken);
    });
  });

  describe('refuses', () => {
    it('refuses an unknown token, with a challenge', async () => {
      const answer = await refresh(`rt_${'A'.repeat(43)}`);
      expect(answer).toMatchObject(REFUSED);
      expect(answer.challenges).toBe('Bearer realm="api"');
    });

    it('[V9.2.2] refuses an access token as a refresh token, and the reverse', async () => {
      const { accessToken, refreshToken } = await tokenOf(ada);
      expect(await refresh(accessToken)).toMatchObject(REFUSED);
      const answer = await context.server.anonymous
        .with({ Authorization: `Bearer ${refreshToken}` })
        .get('/v1/probes/principal');
      expect(answer).toMatchObject(NO_TOKEN);
    });

    it('refuses a token in a header or in the URL', async () => {
      const { refreshToken } = await tokenOf(ada);
      const { anonymous } = context.server;
      const inHeader = anonymous.with({ Authorization: `Bearer ${refreshToken}` });
      expect(await inHeader.post('/v1/tokens/refresh', {})).toMatchObject(REFUSED);
      expect(await anonymous.post('/v1/tokens/refresh?token=rt_x', {})).toMatchObject({
        status: 400,
        problem: 'credential-in-url',
      });
    });

    it('refuses a request without a token', async () => {
      for (const body of [undefined, {}, ''])
        expect(await context.server.anonymous.post('/v1/tokens/refresh', body)).toMatchObject(REFUSED);
    });

    it('refuses a token in the body beside one in the cookie', async () => {
      const token = await tokenOf(ada);
      const both = context.server.anonymous.with({ Cookie: `__Host-refresh=${token.refreshToken}` });
      const answer = await both.post('/v1/tokens/refresh', { refreshToken: token.refreshToken });
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer: '/refreshToken' }]);
      await rotated(token);
    });

    it('refuses a body with other fields', async () => {
      const { refreshToken } = await tokenOf(ada);
      for (const [body, pointer] of [
        [{ refreshToken, scope: 'probes:read' }, '/scope'],
        [{ refresh_token: refreshToken }, '/refresh_token'],
        [{ refreshToken: [refreshToken] }, '/refreshToken'],
        [{ refreshToken: null }, '/refreshToken'],
      ] as const) {
        const answer = await context.server.anonymous.post('/v1/tokens/refresh', body);
        expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
        expect(answer.body.errors).toMatchObject([{ pointer }]);
      }
      expect((await refresh(refreshToken)).status).toBe(200);
    });

    it('refuses a token whose sign-in ended, and mails nobody', async () => {
      const person = await context.server.person();
      const first = await tokenOf(person);
      const second = await rotated(first);
      await second.delete('/v1/sessions/current');
      const before = (await mailsTo(person)).length;
      for (const { refreshToken } of [first, second])
        expect(await refresh(refreshToken)).toMatchObject(REFUSED);
      expect(await mailsTo(person)).toHaveLength(before);
    });

    // room: admin
    it('refuses the token of a disabled user, also after the user is enabled again', async () => {
      const person = await context.server.person();
      const token = await tokenOf(person);
      const root = await administer(await context.server.administrator());
      for (const status of ['disabled', 'active']) {
        await root.put(`/v1/admin/users/${person.id}/status`, { status });
        expect(await refresh(token.refreshToken)).toMatchObject(REFUSED);
      }
    });
    // /room

    it('refuses a token from before a reauthentication', async () => {
      const token = await tokenOf(ada);
      await token.post('/v1/sessions/current/reauthentication', { password: PASSWORD });
      expect(await refresh(token.refreshToken)).toMatchObject(REFUSED);
    });
  });

  describe('the database', () => {
    it('has only the hash, and the successor sealed until that is used', async () => {
      const first = await tokenOf(ada);
      const second = await rotated(first);
      const [used, unused] = await rows(first);
      expect(unused).toMatchObject({ used_at: null, successor_sealed: null, predecessor_id: used.id });
      expect(used.successor_sealed.length).toBeGreaterThan(second.refreshToken.length);
      expect(await context.server.secrets.foundInTables(context.server)).toEqual([]);

      await rotated(second);
      expect((await rows(first)).map((row) => row.successor_sealed !== null)).toEqual([false, true, false]);
    });
  });
});

describe('with REFRESH_REUSE_GRACE=0', () => {
  const context = useServer({ env: { REFRESH_REUSE_GRACE: '0s' } });

  it('accepts a refresh token once', async () => {
    const { server } = context;
    const first = await tokenOf(await server.person());
    const second = next(server, await refreshOn(server, first.refreshToken));
    expect(await refreshOn(server, first.refreshToken)).toMatchObject(REFUSED);
    expect(await second.get('/v1/probes/principal')).toMatchObject(NO_TOKEN);
    expect(await refreshOn(server, second.refreshToken)).toMatchObject(REFUSED);
  });
});
