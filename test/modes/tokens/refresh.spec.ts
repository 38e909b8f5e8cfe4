import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Answer } from '../../support/client.js';
import { InProcessServer } from '../../support/in-process.js';
import { jwtOf, TokenClient } from '../../support/modes/jwt.js';
import { sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { PASSWORD, useStarted } from '../../support/server.js';

const REFUSED = { status: 401, problem: 'invalid-refresh-token' };
const NO_TOKEN = { status: 401, problem: 'invalid-credential' };

const refreshOn = (server: InProcessServer, refreshToken: string): Promise<Answer> =>
  server.anonymous.post('/v1/tokens/refresh', { refreshToken });

/** A client with the pair that a refresh answered. */
const next = (server: InProcessServer, answer: Answer): TokenClient => {
  expect(answer.status).toBe(200);
  return TokenClient.from(server.url, server.secrets, { ...answer, status: 201 });
};

describe('POST /v1/tokens/refresh', () => {
  const context = useStarted(() => InProcessServer.start());
  let ada: Person;
  beforeAll(async () => {
    ada = await context.server.person();
  });
  afterEach(() => context.server.clock.reset());

  const refresh = (refreshToken: string) => refreshOn(context.server, refreshToken);
  const rotated = async ({ refreshToken }: TokenClient) => next(context.server, await refresh(refreshToken));
  const rows = ({ claims }: TokenClient): Promise<any[]> =>
    context.server.dataSource.query(
      'SELECT * FROM refresh_tokens WHERE sign_in_id = $1 ORDER BY created_at, id',
      [claims['sid']],
    );
  /** That the last refresh token, and the time for which the sign-in may idle, end with the sign-in. */
  const expectOneEnd = async ({ claims }: TokenClient): Promise<void> => {
    const [{ sign_in, idle, token }] = await context.server.dataSource.query(
      `SELECT s.expires_at AS sign_in, s.idle_expires_at AS idle, t.expires_at AS token
       FROM sign_ins s JOIN refresh_tokens t ON t.sign_in_id = s.id AND t.used_at IS NULL WHERE s.id = $1`,
      [claims['sid']],
    );
    expect([idle, token]).toEqual([sign_in, sign_in]);
  };

  const mailsTo = async ({ email }: Person) =>
    (await context.server.mails()).filter((mail) => mail.includes(`To: ${email}`));

  describe('the next pair', () => {
    it('is a token response with another of each', async () => {
      const first = await jwtOf(ada);
      const { status, headers, body } = await refresh(first.refreshToken);
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
          token_type: 'Bearer',
          expires_in: 600,
          scope: first.claims['scope'],
          refresh_token: expect.stringMatching(/^rt_[\w-]{43}$/),
        },
      });
      expect(headers.get('cache-control')).toBe('no-store');
      expect(body.refresh_token).not.toBe(first.refreshToken);
      expect(body.access_token).not.toBe(first.accessToken);
    });

    it('keeps sign-in, scope, audience and client', async () => {
      const first = await jwtOf(ada, { scope: 'probes:read sessions:read' });
      const { claims } = await rotated(await rotated(first));
      const { jti, iat, exp, ...kept } = first.claims;
      expect(claims).toEqual({
        ...kept,
        jti: expect.not.stringMatching(jti),
        iat: expect.any(Number),
        exp: claims['iat'] + (exp - iat),
      });
    });

    it('works, and the access token from before goes on until it expires', async () => {
      const first = await jwtOf(ada);
      const second = await rotated(first);
      for (const token of [first, second]) expect((await token.get('/v1/probes/principal')).status).toBe(200);
    });

    it('is given as often as one refreshes', async () => {
      let token = await jwtOf(ada);
      for (let i = 0; i < 5; i += 1) token = await rotated(token);
      expect((await token.get('/v1/probes/principal')).status).toBe(200);
      expect(await rows(token)).toHaveLength(6);
    });

    it('shows in the list of sign-ins when it was last used', async () => {
      const token = await jwtOf(ada);
      context.server.clock.advance('5m');
      const { body } = await (await rotated(token)).get('/v1/sessions/current');
      expect(Date.parse(body.lastSeenAt) - Date.parse(body.createdAt)).toBeGreaterThanOrEqual(300_000);
    });

    it('renews no auth_time: what asks for a recent sign-in goes on refusing', async () => {
      const first = await jwtOf(ada);
      context.server.clock.advance('11m');
      const second = await rotated(first);
      expect(second.claims['auth_time']).toBe(first.claims['auth_time']);
      const answer = await second.post('/v1/api-keys', { name: 'Too late', scopes: ['probes:read'] });
      expect(answer).toMatchObject({ status: 401, problem: 'insufficient-user-authentication' });
      expect(answer.challenges).toContain('max_age="600"');
    });
  });

  describe('a token that was used', () => {
    it('brings the same successor within the grace', async () => {
      const first = await jwtOf(ada);
      const second = await rotated(first);
      context.server.clock.advance('4s');
      const again = await rotated(first);
      expect(again.refreshToken).toBe(second.refreshToken);
      expect(again.claims['jti']).not.toBe(second.claims['jti']);
      expect((await rotated(again)).claims['sid']).toBe(first.claims['sid']);
      expect(await mailsTo(ada)).not.toContainEqual(expect.stringContaining('signed out for your safety'));
    });

    it('ends the family after the grace', async () => {
      const mallory = await context.server.person();
      const first = await jwtOf(mallory);
      const bystander = await jwtOf(mallory);
      const second = await rotated(first);
      context.server.clock.advance('11s');
      const logged = context.server.log.length;

      expect(await refresh(first.refreshToken)).toMatchObject(REFUSED);
      for (const token of [first, second])
        expect(await token.get('/v1/probes/principal')).toMatchObject(NO_TOKEN);
      expect(await refresh(second.refreshToken)).toMatchObject(REFUSED);
      expect((await bystander.get('/v1/probes/principal')).status).toBe(200);

      const entries = context.server.entries().slice(logged);
      expect(entries).toContainEqual(
        expect.objectContaining({
          level: 'warn',
          event: 'refresh-token.reused',
          userId: mallory.id,
          credentialId: first.claims['sid'],
        }),
      );
      expect(await mailsTo(mallory)).toEqual([
        expect.stringContaining('You were signed out for your safety'),
      ]);
    });

    it('ends the family once: of further tries the person hears no more', async () => {
      const grace = await context.server.person();
      const first = await jwtOf(grace);
      await rotated(first);
      context.server.clock.advance('11s');
      const before = (await mailsTo(grace)).length;
      for (let i = 0; i < 3; i += 1) expect(await refresh(first.refreshToken)).toMatchObject(REFUSED);
      expect(await mailsTo(grace)).toHaveLength(before + 1);
    });

    it('ends the family within the grace too, once the successor was used', async () => {
      const first = await jwtOf(ada);
      const second = await rotated(first);
      const third = await rotated(second);
      expect(await refresh(first.refreshToken)).toMatchObject(REFUSED);
      expect(await third.get('/v1/probes/principal')).toMatchObject(NO_TOKEN);
      expect(await refresh(third.refreshToken)).toMatchObject(REFUSED);
    });

    it('answers like one that never was', async () => {
      const first = await jwtOf(ada);
      await rotated(await rotated(first));
      const reused = await refresh(first.refreshToken);
      const unknown = await refresh(`rt_${'A'.repeat(43)}`);
      expect({ ...reused.body, instance: '' }).toEqual({ ...unknown.body, instance: '' });
      expect(reused.challenges).toBe(unknown.challenges);
    });
  });

  describe('expiry', () => {
    it('comes after REFRESH_TOKEN_IDLE_TTL without use', async () => {
      const token = await jwtOf(ada);
      context.server.clock.advance('13d');
      const used = await rotated(token);
      context.server.clock.advance('13d');
      expect((await used.get('/v1/probes/principal')).status).toBe(401);
      const again = await rotated(used);
      context.server.clock.advance('3d');
      await rotated(again);

      const idle = await jwtOf(ada);
      context.server.clock.advance('14d');
      expect(await refresh(idle.refreshToken)).toMatchObject(REFUSED);
    });

    it('is put off by a reauthentication as by a refresh', async () => {
      const { clock } = context.server;
      const token = await jwtOf(ada);
      clock.advance('9m');
      const { body } = await token.post('/v1/sessions/current/reauthentication', { password: PASSWORD });
      clock.advance('20159m');
      expect((await refresh(body.refresh_token)).status).toBe(200);
    });

    it('comes after REFRESH_TOKEN_TTL, however much it is used', async () => {
      let token = await jwtOf(ada);
      for (const duration of ['10d', '10d', '9d']) {
        context.server.clock.advance(duration);
        token = await rotated(token);
      }
      await expectOneEnd(token);
      const proved = await token.post('/v1/sessions/current/reauthentication', { password: PASSWORD });
      token = next(context.server, proved);
      await expectOneEnd(token);
      context.server.clock.advance('1d');
      expect(await refresh(token.refreshToken)).toMatchObject(REFUSED);
      expect(await token.get('/v1/probes/principal')).toMatchObject(NO_TOKEN);
    });
  });

  describe('whatever ends first', () => {
    it.each([
      ['the refresh token', "UPDATE refresh_tokens SET expires_at = 'epoch' WHERE sign_in_id = $1", 200],
      ['the sign-in for want of use', "UPDATE sign_ins SET idle_expires_at = 'epoch' WHERE id = $1", 401],
      ['the sign-in', "UPDATE sign_ins SET expires_at = 'epoch' WHERE id = $1", 401],
      [
        'the user',
        "UPDATE users u SET status = 'disabled' FROM sign_ins s WHERE s.id = $1 AND u.id = s.user_id",
        401,
      ],
    ])('ends it: %s', async (_what, update, accessToken) => {
      const token = await jwtOf(await context.server.person());
      await context.server.dataSource.query(update, [token.claims['sid']]);
      expect(await refresh(token.refreshToken)).toMatchObject(REFUSED);
      expect((await token.get('/v1/reports/summary')).status).toBe(accessToken);
    });
  });

  describe('refuses', () => {
    it('what is no refresh token, without asking the database', async () => {
      const { refreshToken } = await jwtOf(ada);
      const { logger } = context.server.dataSource;
      const queries = jest.spyOn(logger, 'logQuery');
      for (const malformed of [
        '',
        'rt_',
        refreshToken.slice(0, -1),
        `${refreshToken}A`,
        `${refreshToken} `,
        refreshToken.replace('rt_', 'at_'),
        `${refreshToken.slice(0, -1)}B`,
        `${refreshToken.slice(0, 20)}'${refreshToken.slice(21)}`,
      ])
        expect(await refresh(malformed)).toMatchObject(REFUSED);
      expect(queries).not.toHaveBeenCalled();
      expect((await refresh(refreshToken)).status).toBe(200);
      expect(queries).toHaveBeenCalled();
      queries.mockRestore();
    });

    it('an unknown one, with a challenge', async () => {
      const answer = await refresh(`rt_${'A'.repeat(43)}`);
      expect(answer).toMatchObject(REFUSED);
      expect(answer.challenges).toBe('Bearer realm="api"');
    });

    it('an access token in place of a refresh token, and the other way round', async () => {
      const { accessToken, refreshToken } = await jwtOf(ada);
      expect(await refresh(accessToken)).toMatchObject(REFUSED);
      const answer = await context.server.anonymous
        .with({ Authorization: `Bearer ${refreshToken}` })
        .get('/v1/probes/principal');
      expect(answer).toMatchObject(NO_TOKEN);
    });

    it('the token in a header or in the URL', async () => {
      const { refreshToken } = await jwtOf(ada);
      const { anonymous } = context.server;
      const inHeader = anonymous.with({ Authorization: `Bearer ${refreshToken}` });
      expect(await inHeader.post('/v1/tokens/refresh', {})).toMatchObject(REFUSED);
      expect(await anonymous.post('/v1/tokens/refresh?token=rt_x', {})).toMatchObject({
        status: 400,
        problem: 'credential-in-url',
      });
    });

    it('none', async () => {
      for (const body of [undefined, {}, ''])
        expect(await context.server.anonymous.post('/v1/tokens/refresh', body)).toMatchObject(REFUSED);
    });

    it('one in the body and one in the cookie', async () => {
      const token = await jwtOf(ada);
      const both = context.server.anonymous.with({ Cookie: `__Host-refresh=${token.refreshToken}` });
      const answer = await both.post('/v1/tokens/refresh', { refreshToken: token.refreshToken });
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer: '/refreshToken' }]);
      await rotated(token);
    });

    it('a body with anything else in it', async () => {
      const { refreshToken } = await jwtOf(ada);
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

    it('one whose sign-in ended, without a word of reuse', async () => {
      const person = await context.server.person();
      const first = await jwtOf(person);
      const second = await rotated(first);
      await second.delete('/v1/sessions/current');
      const before = (await mailsTo(person)).length;
      for (const { refreshToken } of [first, second])
        expect(await refresh(refreshToken)).toMatchObject(REFUSED);
      expect(await mailsTo(person)).toHaveLength(before);
    });

    it('one of a disabled user, also once they are active again', async () => {
      const person = await context.server.person();
      const token = await jwtOf(person);
      const root = await sessionOf(await context.server.administrator());
      for (const status of ['disabled', 'active']) {
        await root.put(`/v1/admin/users/${person.id}/status`, { status });
        expect(await refresh(token.refreshToken)).toMatchObject(REFUSED);
      }
    });

    it('one from before a reauthentication', async () => {
      const token = await jwtOf(ada);
      await token.post('/v1/sessions/current/reauthentication', { password: PASSWORD });
      expect(await refresh(token.refreshToken)).toMatchObject(REFUSED);
    });
  });

  describe('the database', () => {
    it('has only the hash, and the successor sealed until that is used', async () => {
      const first = await jwtOf(ada);
      const second = await rotated(first);
      const [used, unused] = await rows(first);
      expect(unused).toMatchObject({ used_at: null, successor_sealed: null, predecessor_id: used.id });
      expect(used.successor_sealed.length).toBeGreaterThan(second.refreshToken.length);
      const { secrets } = context.server;
      const dataSource = context.server.dataSource;
      expect(await secrets.foundInTables(dataSource)).toEqual([]);

      await rotated(second);
      expect((await rows(first)).map((row) => row.successor_sealed !== null)).toEqual([false, true, false]);
    });
  });
});

describe('with REFRESH_REUSE_GRACE=0', () => {
  const context = useStarted(() => InProcessServer.start({ env: { REFRESH_REUSE_GRACE: '0s' } }));

  it('a token is used once', async () => {
    const { server } = context;
    const first = await jwtOf(await server.person());
    const second = next(server, await refreshOn(server, first.refreshToken));
    expect(await refreshOn(server, first.refreshToken)).toMatchObject(REFUSED);
    expect(await second.get('/v1/probes/principal')).toMatchObject(NO_TOKEN);
    expect(await refreshOn(server, second.refreshToken)).toMatchObject(REFUSED);
  });
});
