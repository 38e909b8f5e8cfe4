import { beforeAll, describe, expect, it } from '@jest/globals';
import { basic, postForm } from '../../support/form.js';
import { apiKeyOf, type KeyClient } from '../../support/modes/api-key.js';
import { signIn, tokens } from '../../support/modes/any.js';
import type { Person } from '../../support/person.js';
import { useServer } from '../../support/server.js';

const ISSUER = 'http://auth.example.com';
const REPORTS = 'https://reports.example.com';
const INACTIVE = { active: false };

/** Of access tokens. */
const FORMATS = tokens.map(({ mode }) => mode);

describe('POST /oauth/introspect', () => {
  const context = useServer({ env: { AUDIENCES: `${ISSUER} ${REPORTS}` } });
  let ada: Person;
  let key: KeyClient;
  beforeAll(async () => {
    ada = await context.server.person();
    key = await apiKeyOf(ada, ['tokens:introspect', 'probes:read']);
  });

  const ask = (token: string, fields: Record<string, string | string[]> = {}) =>
    postForm(key, '/oauth/introspect', { token, ...fields });
  const told = async (token: string) => (await ask(token)).body;
  const pair = async (fields: object = {}) => {
    const { email, password } = ada;
    return (await context.server.anonymous.post('/v1/tokens', { email, password, ...fields })).body;
  };
  const machineToken = async (of: KeyClient = key) => {
    const fields = { grant_type: 'client_credentials' };
    const { body } = await postForm(context.server.anonymous, '/oauth/token', fields, basic(of.id, of.key));
    return body.access_token as string;
  };

  it.each(FORMATS)('tells what an access token is (%s)', async (format) => {
    const { access_token } = await pair({ format, scope: 'probes:read', resource: REPORTS });
    const { status, body } = await ask(access_token);
    const now = Date.now() / 1000;
    expect(status).toBe(200);
    expect(body).toEqual({
      active: true,
      iss: ISSUER,
      sub: ada.id,
      aud: REPORTS,
      client_id: 'first-party',
      scope: 'probes:read',
      token_type: 'Bearer',
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      sid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      iat: expect.any(Number),
      exp: body.iat + 600,
      auth_time: expect.any(Number),
      amr: ['pwd'],
      acr: 'aal1',
    });
    expect(Math.abs(body.iat - now)).toBeLessThan(60);
  });

  it('tells what a refresh token is, and does not use it', async () => {
    const { refresh_token } = await pair({ scope: 'probes:read' });
    const body = await told(refresh_token);
    expect(body).toMatchObject({ active: true, sub: ada.id, client_id: 'first-party', scope: 'probes:read' });
    expect(body).not.toHaveProperty('token_type');
    const next = await context.server.anonymous.post('/v1/tokens/refresh', { refreshToken: refresh_token });
    expect(next.status).toBe(200);
    expect(await told(refresh_token)).toEqual(INACTIVE);
    expect(await told(next.body.refresh_token)).toMatchObject({ active: true });
  });

  it("tells what a machine's token is", async () => {
    const body = await told(await machineToken());
    expect(body).toMatchObject({ active: true, sub: ada.id, client_id: key.id });
    expect(body).not.toHaveProperty('sid');
    expect(body).not.toHaveProperty('auth_time');
  });

  it('takes the key by its headers, by HTTP Basic and in the body', async () => {
    const { access_token: token } = await pair();
    const { anonymous } = context.server;
    const post = (fields: object, headers: Record<string, string> = {}) =>
      postForm(anonymous, '/oauth/introspect', { token, ...fields }, headers);
    for (const answer of [
      await post({}, { 'X-API-Key': key.key }),
      await post({}, { Authorization: `ApiKey ${key.key}` }),
      await post({}, basic(key.id, key.key)),
      await post({ client_id: key.id, client_secret: key.key }),
    ])
      expect(answer.body.active).toBe(true);
  });

  it('needs a key', async () => {
    const { access_token: token } = await pair();
    const post = (fields: object, headers: Record<string, string> = {}) =>
      postForm(context.server.anonymous, '/oauth/introspect', { token, ...fields }, headers);
    for (const { status, body, challenges } of [
      await post({}),
      await post({ client_id: 'first-party' }),
      await post({ client_id: 'first-party' }, { 'X-API-Key': key.key }),
      await post({}, { 'X-API-Key': `${key.key}x` }),
      await post({}, { Authorization: 'ApiKey' }),
      await post({}, { Authorization: `Bearer ${token}` }),
    ]) {
      expect({ status, error: body.error }).toEqual({ status: 401, error: 'invalid_client' });
      expect(challenges).toBe('Basic realm="api", ApiKey realm="api"');
    }
  });

  it('needs the scope tokens:introspect', async () => {
    const other = await apiKeyOf(ada, ['probes:read']);
    const { access_token } = await pair();
    const { status, body, challenges } = await postForm(other, '/oauth/introspect', { token: access_token });
    expect({ status, error: body.error }).toEqual({ status: 403, error: 'insufficient_scope' });
    expect(challenges).toContain('scope="tokens:introspect"');
  });

  it('needs a token, once', async () => {
    expect((await postForm(key, '/oauth/introspect', {})).body.error).toBe('invalid_request');
    expect((await ask('', { token: ['a', 'b'] })).body.error).toBe('invalid_request');
  });

  it("tells nothing of other people's tokens", async () => {
    const bob = await context.server.person();
    const { email, password } = bob;
    for (const format of FORMATS) {
      const { body } = await context.server.anonymous.post('/v1/tokens', { email, password, format });
      expect(await told(body.access_token)).toEqual(INACTIVE);
      expect(await told(body.refresh_token)).toEqual(INACTIVE);
    }
    expect(await told(await machineToken(await apiKeyOf(bob, ['probes:read'])))).toEqual(INACTIVE);
  });

  it('tells nothing of what is no token', async () => {
    for (const token of ['junk', 'a.b.c', 'at_junk', `at_${'A'.repeat(43)}`, `rt_${'A'.repeat(43)}`, key.key])
      expect(await told(token)).toEqual(INACTIVE);
  });

  it.each(FORMATS)('tells nothing of what is over (%s)', async (format) => {
    const ended = await pair({ format });
    expect(await told(ended.access_token)).toMatchObject({ active: true });
    const client = context.server.anonymous.with({ Authorization: `Bearer ${ended.access_token}` });
    await client.delete('/v1/sessions/current');
    expect(await told(ended.access_token)).toEqual(INACTIVE);
    expect(await told(ended.refresh_token)).toEqual(INACTIVE);

    const expired = await pair({ format });
    await context.server.clock.advance('11m');
    expect(await told(expired.access_token)).toEqual(INACTIVE);
    expect(await told(expired.refresh_token)).toMatchObject({ active: true });
    await context.server.clock.advance('15d');
    expect(await told(expired.refresh_token)).toEqual(INACTIVE);
    await context.server.clock.reset();
  });

  it("tells nothing of a machine's token whose key is revoked", async () => {
    const other = await apiKeyOf(ada, ['probes:read']);
    const token = await machineToken(other);
    expect(await told(token)).toMatchObject({ active: true });
    await (await signIn(ada)).delete(`/v1/api-keys/${other.id}`);
    expect(await told(token)).toEqual(INACTIVE);
  });
});
