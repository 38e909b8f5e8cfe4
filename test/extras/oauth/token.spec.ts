import { describe, expect, it } from '@jest/globals';
import { basic, postForm } from '../../support/form.js';
import { apiKeyOf, type KeyClient } from '../../support/modes/api-key.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { administer, signIn } from '../../support/modes/any.js';
import { useServer } from '../../support/server.js';

const ISSUER = 'http://auth.example.com';
const REPORTS = 'https://reports.example.com';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

const credentials = (key: KeyClient) => ({ client_id: key.id, client_secret: key.key });
const hand = (text: string) => ({ Authorization: `basic ${Buffer.from(text).toString('base64')}` });

describe('POST /oauth/token', () => {
  const context = useServer({ env: { AUDIENCES: `${ISSUER} ${REPORTS}` } });

  const post = (fields: Record<string, string | string[]>, headers: Record<string, string> = {}) =>
    postForm(context.server.anonymous, '/oauth/token', fields, headers);
  const newKey = async (scopes = ['probes:read', 'probes:write'], options = {}) =>
    apiKeyOf(await context.server.person(), scopes, options);
  const exchanged = async (key: KeyClient, fields = {}) => {
    const { status, body, headers } = await post(
      { grant_type: 'client_credentials', ...fields },
      basic(key.id, key.key),
    );
    expect({ status, error: body.error }).toEqual({ status: 200, error: undefined });
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
    return {
      body,
      claims: JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString()),
      client: context.server.anonymous.with({ Authorization: `Bearer ${body.access_token}` }),
    };
  };
  const expectError = async (answer: ReturnType<typeof post>, status: number, error: string) => {
    const { status: got, body, headers, challenges } = await answer;
    expect({ status: got, body }).toEqual({
      status,
      body: { error, error_description: expect.stringMatching(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/) },
    });
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(challenges).toBe(status === 401 ? 'Basic realm="api"' : null);
  };

  const asKey = async (fields: Record<string, string | string[]>) => {
    const key = await newKey();
    return post(fields, basic(key.id, key.key));
  };
  const exchange = (key: KeyClient, fields: Record<string, string | string[]> = {}) =>
    post(
      { grant_type: EXCHANGE, subject_token: key.key, subject_token_type: ACCESS_TOKEN, ...fields },
      basic(key.id, key.key),
    );
  const refresh = (refresh_token: string, fields = {}, headers = {}) =>
    post({ grant_type: 'refresh_token', refresh_token, client_id: 'first-party', ...fields }, headers);

  const spaced = (header: { Authorization: string }, space: string) => ({
    Authorization: header.Authorization.replace(' ', space),
  });

  describe('client authentication', () => {
    it('takes id and key by HTTP Basic, percent-encoded or not, or in the body', async () => {
      const key = await newKey();
      const grant_type = 'client_credentials';
      const encoded = key.key.replaceAll('_', '%5F').replaceAll('a', '%61');
      for (const answer of [
        await post({ grant_type }, basic(key.id, key.key)),
        await post({ grant_type }, hand(`${key.id}:${encoded}`)),
        await post({ grant_type }, spaced(basic(key.id, key.key), '   ')),
        await post({ grant_type, client_id: key.id }, basic(key.id, key.key)),
        await post({ grant_type, ...credentials(key) }),
      ])
        expect(answer.status).toBe(200);
    });

    it('refuses two ways at once, and two clients', async () => {
      const key = await newKey();
      const grant_type = 'client_credentials';
      const header = basic(key.id, key.key);
      await expectError(post({ grant_type, ...credentials(key) }, header), 400, 'invalid_request');
      await expectError(post({ grant_type, client_id: 'first-party' }, header), 400, 'invalid_request');
      await expectError(post({ grant_type }, { ...header, 'X-API-Key': key.key }), 400, 'invalid_request');
    });

    it('[V10.4.10] [RFC 9700 2.5] refuses a wrong client', async () => {
      const [key, other] = [await newKey(), await newKey()];
      const revoked = await newKey();
      await context.server.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [revoked.id]);
      const grant_type = 'client_credentials';
      for (const answer of [
        post({ grant_type }),
        post({ grant_type, client_id: key.id }),
        post({ grant_type, client_secret: key.key }),
        post({ grant_type, client_id: other.id, client_secret: key.key }),
        post({ grant_type, client_id: 'first-party', client_secret: key.key }),
        post({ grant_type, ...credentials(revoked) }),
        post({ grant_type }, basic(key.id, other.key)),
        post({ grant_type }, basic(key.id, `${key.key}x`)),
        post({ grant_type }, hand(`${key.id}:%zz`)),
        post({ grant_type }, hand(`\u{FEFF}${key.id}:${key.key}`)),
        post(
          { grant_type },
          { Authorization: hand(`${key.id}:${key.key}`).Authorization.replace(/=*$/, '!') },
        ),
        post(
          { grant_type },
          { Authorization: `Basic ${Buffer.from(`${key.id}:${key.key}\xff`, 'latin1').toString('base64')}` },
        ),
        post({ grant_type }, hand(key.key)),
        post({ grant_type }, { Authorization: 'Basic' }),
        post({ grant_type }, spaced(basic(key.id, key.key), ' \u00a0')),
        post({ grant_type }, spaced(basic(key.id, key.key), '\u00a0')),
        post({ grant_type, client_id: key.id, client_secret: `\u00a0${key.key}` }),
        post({ grant_type, client_id: `${key.id}\u00a0`, client_secret: key.key }),
        post({ grant_type }, { Authorization: `Bearer ${key.key}` }),
        post({ grant_type }, { 'X-API-Key': key.key }),
      ])
        await expectError(answer, 401, 'invalid_client');
    });
  });

  describe('the request', () => {
    it('refuses parameters that are missing, empty or sent twice', async () => {
      const grant_type = 'client_credentials';
      await expectError(asKey({}), 400, 'invalid_request');
      await expectError(asKey({ grant_type: '' }), 400, 'invalid_request');
      await expectError(asKey({ grant_type: [grant_type, grant_type] }), 400, 'invalid_request');
      await expectError(asKey({ grant_type, scope: ['a', 'b'] }), 400, 'invalid_request');
    });

    it('[V10.4.4] [RFC 9700 2.4] refuses grants that are not there, and those of other clients', async () => {
      await expectError(asKey({ grant_type: 'password' }), 400, 'unsupported_grant_type');
      await expectError(asKey({ grant_type: '__proto__' }), 400, 'unsupported_grant_type');
      const client_id = 'first-party';
      await expectError(post({ grant_type: 'client_credentials', client_id }), 400, 'unauthorized_client');
      await expectError(post({ grant_type: EXCHANGE, client_id }), 400, 'unauthorized_client');
    });

    it.each(['%ff', '%zz', '%', '%ed%a0%80'])('refuses a form with the broken escape %s', async (escape) => {
      const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const body = `grant_type=client_credentials&client_id=x&client_secret=${escape}`;
      await expectError(
        context.server.anonymous.post('/oauth/token', body, { headers: form }),
        400,
        'invalid_request',
      );
    });

    it('takes forms and nothing else, and ignores what it does not know', async () => {
      const { anonymous } = context.server;
      await expectError(anonymous.post('/oauth/token', { grant_type: 'x' }), 415, 'invalid_request');
      for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'junk']) {
        const { status, body } = await anonymous.post('/oauth/token', '{}', {
          headers: { 'Content-Type': type },
        });
        expect([status, body.error_description]).toEqual([415, expect.stringMatching(/^Send a form/)]);
      }
      expect((await asKey({ grant_type: 'client_credentials', unknown: '1' })).status).toBe(200);
      const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const elsewhere = await anonymous.post('/v1/tokens', 'email=a', { headers: form });
      expect([elsewhere.status, elsewhere.problem]).toEqual([415, 'unsupported-media-type']);
    });

    it('[RFC 9700 4.2] refuses other methods, secrets in the URL and bodies that are too large in its own form', async () => {
      await expectError(context.server.anonymous.get('/oauth/token'), 405, 'invalid_request');
      await expectError(
        postForm(context.server.anonymous, '/oauth/token?api_key=x', {}),
        400,
        'invalid_request',
      );
      await expectError(post({ scope: 'x'.repeat(100_001) }), 413, 'invalid_request');
      expect((await context.server.anonymous.post('/oauth/nothing')).problem).toBe('not-found');
    });
  });

  describe('client_credentials', () => {
    it('answers with a short JWT that says nothing of a person', async () => {
      const key = await newKey();
      const { body, claims } = await exchanged(key);
      expect(body).toEqual({
        access_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: 600,
        scope: 'probes:read probes:write',
      });
      expect(Object.keys(claims).toSorted()).toEqual(
        ['aud', 'client_id', 'exp', 'iat', 'iss', 'jti', 'key_revision', 'scope', 'sub'].toSorted(),
      );
      expect(claims).toMatchObject({ aud: ISSUER, client_id: key.id, key_revision: 1 });
    });

    it('[RFC 9700 4.15] stands for the owner of the key, with its scopes', async () => {
      const ada = await context.server.person();
      const key = await apiKeyOf(ada, ['probes:read', 'profile:read']);
      const { client, claims } = await exchanged(key);
      const { body } = await client.get('/v1/probes/principal');
      expect(body).toEqual({
        mode: 'jwt',
        kind: 'machine',
        subject: ada.id,
        scopes: ['probes:read', 'profile:read'],
        authTime: null,
        amr: [],
        credentialId: claims.jti,
      });
      expect((await client.get('/v1/users/me')).body.email).toBe(ada.email);
      const refused = await client.post('/v1/probes', { note: 'Tea' });
      expect([refused.status, refused.problem]).toEqual([403, 'insufficient-scope']);
    });

    it('is refused where a person is needed', async () => {
      const { client } = await exchanged(await newKey(['api-keys:read', 'sessions:read']));
      for (const path of ['/v1/api-keys', '/v1/sessions', '/v1/sessions/current']) {
        const { status, problem } = await client.get(path);
        expect({ path, status, problem }).toEqual({ path, status: 403, problem: 'person-required' });
      }
    });

    it('[V8.3.3] [RFC 9700 2.3] narrows by scope, and widens never', async () => {
      const key = await newKey(['probes:read', 'probes:write']);
      expect((await exchanged(key, { scope: 'probes:read' })).claims.scope).toBe('probes:read');
      for (const scope of [
        'profile:read',
        'probes:read profile:read',
        'unknown',
        'probes:read  probes:write',
      ])
        await expectError(
          post({ grant_type: 'client_credentials', scope }, basic(key.id, key.key)),
          400,
          'invalid_scope',
        );
    });

    it('[V9.2.3] [V10.3.1] [RFC 9700 4.10] is for one of the audiences, and refused by the others', async () => {
      const key = await newKey();
      const { client, claims } = await exchanged(key, { resource: REPORTS });
      expect(claims.aud).toBe(REPORTS);
      expect((await client.get('/v1/probes/principal')).status).toBe(401);
      for (const resource of ['https://evil.example.com', `${REPORTS}/`, [ISSUER, REPORTS]])
        await expectError(
          post({ grant_type: 'client_credentials', resource }, basic(key.id, key.key)),
          400,
          'invalid_target',
        );
    });

    it('never lives longer than the key', async () => {
      const key = await newKey(['probes:read'], { expiresAt: new Date(Date.now() + 90_000).toISOString() });
      expect((await exchanged(key)).body.expires_in).toBeLessThanOrEqual(90);
    });

    it('ends at once when its key is revoked', async () => {
      const ada = await context.server.person();
      const key = await apiKeyOf(ada, ['probes:read']);
      const { client } = await exchanged(key);
      expect((await client.get('/v1/probes')).status).toBe(200);
      await (await signIn(ada)).delete(`/v1/api-keys/${key.id}`);
      expect((await client.get('/v1/probes')).status).toBe(401);
    });

    it('ends when its key is narrowed, and not when it is renamed', async () => {
      const ada = await context.server.person();
      const session = await signIn(ada);
      const key = await apiKeyOf(ada, ['probes:read', 'probes:write']);
      const { client } = await exchanged(key);
      await session.patch(`/v1/api-keys/${key.id}`, { name: 'Another name' });
      expect((await client.get('/v1/probes')).status).toBe(200);
      await session.patch(`/v1/api-keys/${key.id}`, { scopes: ['probes:read'] });
      expect((await client.get('/v1/probes')).status).toBe(401);
      const { claims, client: next } = await exchanged(key);
      expect(claims).toMatchObject({ scope: 'probes:read', key_revision: 2 });
      expect((await next.get('/v1/probes')).status).toBe(200);
    });

    it('ends when the key is made to expire, or its owner is disabled', async () => {
      const ada = await context.server.person();
      const key = await apiKeyOf(ada, ['probes:read']);
      const before = await exchanged(key);
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
      await (await signIn(ada)).patch(`/v1/api-keys/${key.id}`, { expiresAt });
      expect((await before.client.get('/v1/probes')).status).toBe(401);
      const { client } = await exchanged(key);
      const admin = await administer(await context.server.administrator());
      await admin.put(`/v1/admin/users/${ada.id}/status`, { status: 'disabled' });
      expect((await client.get('/v1/probes')).status).toBe(401);
      await admin.put(`/v1/admin/users/${ada.id}/status`, { status: 'active' });
      expect((await client.get('/v1/probes')).status).toBe(200);
    });
  });

  describe('token exchange', () => {
    it('answers with a token for the key, down-scoped', async () => {
      const { status, body } = await exchange(await newKey(), { scope: 'probes:read' });
      expect(status).toBe(200);
      expect(body).toEqual({
        access_token: expect.any(String),
        issued_token_type: ACCESS_TOKEN,
        token_type: 'Bearer',
        expires_in: 600,
        scope: 'probes:read',
      });
      const client = context.server.anonymous.with({ Authorization: `Bearer ${body.access_token}` });
      expect((await client.get('/v1/probes')).status).toBe(200);
    });

    it('refuses another subject, other types and actors', async () => {
      const [key, other] = [await newKey(), await newKey()];
      for (const fields of [
        { subject_token: '' },
        { subject_token_type: '' },
        { subject_token: other.key },
        { subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
        { requested_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
        { actor_token: other.key },
      ])
        await expectError(exchange(key, fields), 400, 'invalid_request');
      await expectError(exchange(key, { scope: 'profile:read' }), 400, 'invalid_scope');
      await expectError(exchange(key, { audience: 'elsewhere' }), 400, 'invalid_target');
      await expectError(exchange(key, { audience: ISSUER, resource: REPORTS }), 400, 'invalid_target');
      expect((await exchange(key, { audience: REPORTS, resource: REPORTS })).status).toBe(200);
    });
  });

  describe('refresh_token', () => {
    it('rotates as POST /v1/tokens/refresh does', async () => {
      const { refreshToken } = await jwtOf(await context.server.person());
      const { status, body } = await refresh(refreshToken);
      expect(status).toBe(200);
      expect(body.refresh_token).not.toBe(refreshToken);
      expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 600 });
      expect((await refresh(body.refresh_token)).status).toBe(200);
      // Used twice, with its successor used too: the family ends.
      await expectError(refresh(refreshToken), 400, 'invalid_grant');
      await expectError(refresh(body.refresh_token), 400, 'invalid_grant');
    });

    it('narrows the access token for once, and nothing else', async () => {
      const { refreshToken } = await jwtOf(await context.server.person(), {
        scope: 'probes:read probes:write',
      });
      await expectError(refresh(refreshToken, { scope: 'profile:read' }), 400, 'invalid_scope');
      await expectError(refresh(refreshToken, { resource: REPORTS }), 400, 'invalid_target');
      const { body } = await refresh(refreshToken, { scope: 'probes:read', resource: ISSUER });
      expect(body.scope).toBe('probes:read');
      expect((await refresh(body.refresh_token)).body.scope).toBe('probes:read probes:write');
    });

    it('refuses the token of another client, and leaves it as it is', async () => {
      const { refreshToken } = await jwtOf(await context.server.person());
      const key = await newKey();
      const grant_type = 'refresh_token';
      const asKey = post({ grant_type, refresh_token: refreshToken }, basic(key.id, key.key));
      await expectError(asKey, 400, 'invalid_grant');
      await expectError(post({ grant_type, refresh_token: refreshToken }), 401, 'invalid_client');
      expect((await refresh(refreshToken)).status).toBe(200);
    });

    it('refuses a token that a cookie carries', async () => {
      const { email, password } = await context.server.person();
      const { cookies } = await context.server.anonymous.post('/v1/tokens', {
        email,
        password,
        refreshIn: 'cookie',
      });
      const cookie = cookies['__Host-refresh']!;
      await expectError(refresh(cookie), 400, 'invalid_grant');
      const byCookie = await context.server.anonymous.post('/v1/tokens/refresh', undefined, {
        headers: { Cookie: `__Host-refresh=${cookie}` },
      });
      expect(byCookie.status).toBe(200);
    });

    it('refuses what is no refresh token', async () => {
      await expectError(refresh(''), 400, 'invalid_request');
      await expectError(refresh('junk'), 400, 'invalid_grant');
      await expectError(refresh(`rt_${'A'.repeat(43)}`), 400, 'invalid_grant');
    });
  });
});
