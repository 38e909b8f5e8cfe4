import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { RevocationFeed } from '../../../src/platform/revocations/revocation-feed.js';
import { basic, postForm } from '../../support/form.js';
import { InProcessServer } from '../../support/in-process.js';
import { tokens } from '../../support/modes/any.js';
import { apiKeyOf, type KeyClient } from '../../support/modes/api-key.js';
import { useStarted } from '../../support/server.js';

/** Of access tokens. */
const FORMATS = tokens.map(({ mode }) => mode);

describe('POST /oauth/revoke', () => {
  const context = useStarted(() => InProcessServer.start());

  const revoke = (fields: Record<string, string | string[]>, headers: Record<string, string> = {}) =>
    postForm(context.server.anonymous, '/oauth/revoke', fields, headers);
  const whoami = async (token: string) => {
    const client = context.server.anonymous.with({ Authorization: `Bearer ${token}` });
    return (await client.get('/v1/probes/principal')).status;
  };
  const refresh = async (refreshToken: string) =>
    (await context.server.anonymous.post('/v1/tokens/refresh', { refreshToken })).status;
  const pair = async (format = 'jwt') => {
    const { email, password } = await context.server.person();
    return (await context.server.anonymous.post('/v1/tokens', { email, password, format })).body;
  };
  const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
  const machineToken = async (key: KeyClient) => {
    const fields = { grant_type: 'client_credentials' };
    const { body } = await postForm(context.server.anonymous, '/oauth/token', fields, basic(key.id, key.key));
    return body.access_token as string;
  };

  it.each(FORMATS)('ends an access token and nothing else (%s)', async (format) => {
    const { access_token, refresh_token } = await pair(format);
    expect(await whoami(access_token)).toBe(200);
    const { status, body } = await revoke({ token: access_token, client_id: 'first-party' });
    expect({ status, body }).toEqual({ status: 200, body: {} });
    expect(await whoami(access_token)).toBe(401);
    expect(await refresh(refresh_token)).toBe(200);
  });

  it.each(FORMATS)('[V10.4.9] ends the sign-in of a refresh token (%s)', async (format) => {
    const { access_token, refresh_token } = await pair(format);
    expect((await revoke({ token: refresh_token, token_type_hint: 'access_token' })).status).toBe(200);
    expect(await refresh(refresh_token)).toBe(401);
    expect(await whoami(access_token)).toBe(401);
  });

  it('ends the sign-in of a refresh token that was used, which could get the same successor again', async () => {
    const { refresh_token } = await pair();
    const { body } = await context.server.anonymous.post('/v1/tokens/refresh', {
      refreshToken: refresh_token,
    });
    expect((await revoke({ token: refresh_token })).status).toBe(200);
    expect([await refresh(refresh_token), await refresh(body.refresh_token)]).toEqual([401, 401]);
    expect(await whoami(body.access_token)).toBe(401);
  });

  it("needs no client for a person's token, and refuses a wrong one", async () => {
    const key = await apiKeyOf(await context.server.person(), ['probes:read']);
    const { access_token } = await pair();
    const wrong = await revoke({ token: access_token }, basic(key.id, `${key.key}x`));
    expect([wrong.status, wrong.body.error, wrong.challenges]).toEqual([
      401,
      'invalid_client',
      'Basic realm="api"',
    ]);
    expect(await whoami(access_token)).toBe(200);
    expect((await revoke({ token: access_token })).status).toBe(200);
    expect(await whoami(access_token)).toBe(401);
  });

  it("revokes a machine's token for its own key only", async () => {
    const ada = await context.server.person();
    const [key, other] = [await apiKeyOf(ada, ['probes:read']), await apiKeyOf(ada, ['probes:read'])];
    const token = await machineToken(key);
    const refusals = [
      await revoke({ token }),
      await revoke({ token, client_id: 'first-party' }),
      await revoke({ token }, basic(other.id, other.key)),
    ];
    expect(refusals.map(({ status, body }) => [status, body.error])).toEqual([
      [401, 'invalid_client'],
      [400, 'invalid_grant'],
      [400, 'invalid_grant'],
    ]);
    expect(await whoami(token)).toBe(200);
    expect((await revoke({ token }, basic(key.id, key.key))).status).toBe(200);
    expect(await whoami(token)).toBe(401);
    expect(await whoami(await machineToken(key))).toBe(200);
  });

  /** What a row says of a sign-in may be behind, or wrong for a moment; whoever revokes means it all the same. */
  it.each([
    ['idle', `idle_expires_at = now() - interval '1 second'`],
    ['expired', `expires_at = now() - interval '1 second'`],
  ])(
    'ends an access token whose sign-in looks %s, and would be believed by routes that do not look',
    async (_how, change) => {
      const { access_token } = await pair();
      const { sid } = claimsOf(access_token);
      await context.server.dataSource.query(`UPDATE sign_ins SET ${change} WHERE id = $1`, [sid]);
      expect(await whoami(access_token)).toBe(200);
      expect((await revoke({ token: access_token })).status).toBe(200);
      expect(await whoami(access_token)).toBe(401);
    },
  );

  // room: opaque-tokens
  it('ends an opaque token whose sign-in looks idle, so that it stays ended', async () => {
    const { access_token } = await pair('opaque');
    const dataSource = context.server.dataSource;
    const hash = [createHash('sha256').update(access_token).digest()];
    await dataSource.query(
      `UPDATE sign_ins SET idle_expires_at = now() - interval '1 second'
       WHERE id IN (SELECT sign_in_id FROM access_tokens WHERE token_hash = $1)`,
      hash,
    );
    expect((await revoke({ token: access_token })).status).toBe(200);
    expect(
      await dataSource.query('SELECT revoked_at FROM access_tokens WHERE token_hash = $1', hash),
    ).toEqual([{ revoked_at: expect.any(Date) }]);
  });
  // /room

  it('ends the access tokens of a refresh token that has expired', async () => {
    const { access_token, refresh_token } = await pair();
    await context.server.dataSource.query(
      `UPDATE refresh_tokens SET expires_at = now() - interval '1 second' WHERE sign_in_id = $1`,
      [claimsOf(access_token).sid],
    );
    expect(await refresh(refresh_token)).toBe(401);
    expect(await whoami(access_token)).toBe(200);
    expect((await revoke({ token: refresh_token })).status).toBe(200);
    expect(await whoami(access_token)).toBe(401);
  });

  it('writes one revocation for a token, however often it is revoked', async () => {
    const { access_token } = await pair();
    for (let time = 0; time < 5; time += 1) expect((await revoke({ token: access_token })).status).toBe(200);
    const rows = await context.server.dataSource.query('SELECT 1 FROM revocations WHERE subject = $1', [
      claimsOf(access_token).jti,
    ]);
    expect(rows).toHaveLength(1);
  });

  it('answers 200 for what is no token, or over already', async () => {
    const { access_token, refresh_token } = await pair();
    await revoke({ token: refresh_token });
    for (const token of [access_token, refresh_token, 'junk', 'a.b.c', `at_${'A'.repeat(43)}`])
      expect((await revoke({ token })).status).toBe(200);
  });

  it('needs a token, once', async () => {
    for (const answer of [await revoke({}), await revoke({ token: ['a', 'b'] })])
      expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request']);
  });

  it('tells every node, and remembers the revocation by jti', async () => {
    const { access_token } = await pair();
    await revoke({ token: access_token });
    const { jti } = claimsOf(access_token);
    const rows = await context.server.dataSource.query(`SELECT kind FROM revocations WHERE subject = $1`, [
      jti,
    ]);
    expect(rows).toEqual([{ kind: 'token' }]);
  });

  it('is known without the feed too: then the database is asked', async () => {
    const ada = await context.server.person();
    const key = await apiKeyOf(ada, ['probes:read']);
    const [jwt, machine] = [(await pair()).access_token, await machineToken(key)];
    const { server } = context;
    // What the feed never heard of: written past it.
    const { jti } = claimsOf(jwt);
    await server.dataSource.query(
      `INSERT INTO revocations (kind, subject, expires_at) VALUES ('token', $1, now() + interval '1 hour')`,
      [jti],
    );
    await server.dataSource.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [key.id]);
    expect(await whoami(jwt)).toBe(200);
    const feed = server.app.get(RevocationFeed, { strict: false });
    Object.defineProperty(feed, 'isCurrent', { value: false, configurable: true });
    expect([await whoami(jwt), await whoami(machine)]).toEqual([401, 401]);
    delete (feed as { isCurrent?: boolean }).isCurrent;
  });
});
