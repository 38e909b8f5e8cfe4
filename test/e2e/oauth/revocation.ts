import { describe, expect, it } from '@jest/globals';
import { RevocationFeed } from '../../../src/revocations/revocation-feed.js';
import { basic, postForm } from '../../support/form.js';
import type { KeyClient } from '../../support/person.js';
import { useServer } from '../../support/server.js';

describe('POST /oauth/revoke', () => {
  const context = useServer();

  const revoke = (fields: Record<string, string | string[]>, headers: Record<string, string> = {}) =>
    postForm(context.server.anonymous, '/oauth/revoke', fields, headers);
  const whoami = async (token: string) => {
    const client = context.server.anonymous.with({ Authorization: `Bearer ${token}` });
    return (await client.get('/v1/whoami')).status;
  };
  const refresh = async (refreshToken: string) =>
    (await context.server.anonymous.post('/v1/tokens/refresh', { refreshToken })).status;
  const pair = async (format = 'jwt') => {
    const { email, password } = await context.server.person();
    return (await context.server.anonymous.post('/v1/tokens', { email, password, format })).body;
  };
  const machineToken = async (key: KeyClient) => {
    const fields = { grant_type: 'client_credentials' };
    const { body } = await postForm(context.server.anonymous, '/oauth/token', fields, basic(key.id, key.key));
    return body.access_token as string;
  };

  it.each(['jwt', 'opaque'])('ends an access token and nothing else (%s)', async (format) => {
    const { access_token, refresh_token } = await pair(format);
    expect(await whoami(access_token)).toBe(200);
    const { status, body } = await revoke({ token: access_token, client_id: 'first-party' });
    expect({ status, body }).toEqual({ status: 200, body: {} });
    expect(await whoami(access_token)).toBe(401);
    expect(await refresh(refresh_token)).toBe(200);
  });

  it.each(['jwt', 'opaque'])('ends the sign-in of a refresh token (%s)', async (format) => {
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
    const key = await (await context.server.person()).apiKey(['orders:read']);
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

  it("takes back a machine's token for its own key only", async () => {
    const ada = await context.server.person();
    const [key, other] = [await ada.apiKey(['orders:read']), await ada.apiKey(['orders:read'])];
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
    const { jti } = JSON.parse(Buffer.from(access_token.split('.')[1], 'base64url').toString());
    const rows = await context.server.dataSource.query(`SELECT kind FROM revocations WHERE subject = $1`, [
      jti,
    ]);
    expect(rows).toEqual([{ kind: 'token' }]);
  });

  it('is known without the feed too: then the database is asked', async () => {
    const ada = await context.server.person();
    const key = await ada.apiKey(['orders:read']);
    const [jwt, machine] = [(await pair()).access_token, await machineToken(key)];
    const { server } = context;
    // What the feed never heard of: written past it.
    const jti = JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url').toString()).jti;
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
