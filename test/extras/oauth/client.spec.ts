import * as oauth from 'openid-client';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { InProcessServer } from '../../support/in-process.js';
import { tokens } from '../../support/modes/any.js';
import { apiKeyOf, type KeyClient } from '../../support/modes/api-key.js';
import type { Person } from '../../support/person.js';
import { useStarted } from '../../support/server.js';

const API = 'https://api.example.com';
const REPORTS = 'https://reports.example.com';
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** With its secret in the header, and in the form. */
const METHODS = [
  ['client_secret_basic', oauth.ClientSecretBasic],
  ['client_secret_post', oauth.ClientSecretPost],
] as const;

const error = (code: string) => ({ error: code, status: 400 });

/** Of access tokens. */
const FORMATS = tokens.map(({ mode }) => mode);

/** A client that knows OAuth and nothing of us: it finds everything by the metadata. */
describe('an OAuth client from npm', () => {
  const context = useStarted(() => InProcessServer.start({ env: { AUDIENCES: `${API} ${REPORTS}` } }));
  let ada: Person;
  let key: KeyClient;
  let asKey: oauth.Configuration;
  let firstParty: oauth.Configuration;

  beforeAll(async () => {
    // The server gets its port when it listens, and names itself by it from here on.
    Object.assign(context.server.config, { ISSUER: context.server.url });
    ada = await context.server.person();
    key = await apiKeyOf(ada, ['probes:read', 'probes:write', 'tokens:introspect']);
    asKey = await discover(key.id, oauth.ClientSecretBasic(key.key));
    firstParty = await discover('first-party', oauth.None());
  });

  const discover = (id: string, authentication: oauth.ClientAuth) =>
    oauth.discovery(new URL(context.server.url), id, undefined, authentication, {
      algorithm: 'oauth2',
      execute: [oauth.allowInsecureRequests],
    });
  const keep = <T extends oauth.TokenEndpointResponse>(tokens: T): T => {
    for (const token of [tokens.access_token, tokens.refresh_token])
      if (token !== undefined) context.server.secrets.keep(token);
    return tokens;
  };
  const machine = async (parameters: Record<string, string> = {}) =>
    keep(await oauth.clientCredentialsGrant(asKey, parameters));
  const exchange = async (parameters: Record<string, string> = {}) =>
    keep(
      await oauth.genericGrantRequest(asKey, TOKEN_EXCHANGE, {
        subject_token: key.key,
        subject_token_type: ACCESS_TOKEN,
        ...parameters,
      }),
    );
  const refresh = async (token: string, parameters: Record<string, string> = {}) =>
    keep(await oauth.refreshTokenGrant(firstParty, token, parameters));
  /** The status of a request with a token, or the challenge that refuses it. */
  const call = async (token: string, method = 'GET'): Promise<{ status: number; cause?: any }> => {
    const url = new URL(`${context.server.url}/v1/probes`);
    const body = method === 'POST' ? JSON.stringify({ note: 'Tea' }) : undefined;
    const headers = new Headers(body === undefined ? {} : { 'Content-Type': 'application/json' });
    return oauth
      .fetchProtectedResource(firstParty, token, url, method, body, headers)
      .catch((error: oauth.WWWAuthenticateChallengeError) => error);
  };
  const status = async (token: string) => (await call(token)).status;

  it('reads the metadata', () => {
    const { url } = context.server;
    expect(asKey.serverMetadata()).toMatchObject({
      issuer: url,
      token_endpoint: `${url}/oauth/token`,
      introspection_endpoint: `${url}/oauth/introspect`,
      revocation_endpoint: `${url}/oauth/revoke`,
      jwks_uri: `${url}/.well-known/jwks.json`,
    });
  });

  describe.each(METHODS)('as a key, by %s', (_method, authentication) => {
    let config: oauth.Configuration;
    beforeAll(async () => {
      config = await discover(key.id, authentication(key.key));
    });

    it('gets, introspects and revokes a token', async () => {
      const { access_token: token, ...tokens } = keep(await oauth.clientCredentialsGrant(config));
      expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 600 });
      expect(tokens).not.toHaveProperty('refresh_token');
      expect(await status(token)).toBe(200);
      const told = await oauth.tokenIntrospection(config, token);
      expect(told).toMatchObject({ active: true, sub: ada.id, client_id: key.id, aud: API });
      await oauth.tokenRevocation(config, token);
      expect(await status(token)).toBe(401);
      expect(await oauth.tokenIntrospection(config, token)).toEqual({ active: false });
    });

    it('is refused with a wrong secret', async () => {
      const wrong = await discover(key.id, authentication(`${key.key}x`));
      for (const request of [
        () => oauth.clientCredentialsGrant(wrong),
        () => oauth.tokenIntrospection(wrong, 'any'),
        () => oauth.tokenRevocation(wrong, 'any'),
      ])
        await expect(request()).rejects.toMatchObject({
          status: 401,
          cause: expect.arrayContaining([{ scheme: 'basic', parameters: { realm: 'api' } }]),
        });
    });
  });

  it('asks for fewer scopes than the key has, and learns which one it lacks then', async () => {
    const all = await machine();
    expect(all.scope).toBe('probes:read probes:write tokens:introspect');
    expect((await call(all.access_token, 'POST')).status).toBe(201);
    const some = await machine({ scope: 'probes:read' });
    expect(some.scope).toBe('probes:read');
    expect(await status(some.access_token)).toBe(200);
    const refused = await call(some.access_token, 'POST');
    expect(refused.status).toBe(403);
    expect(refused.cause[0].parameters).toMatchObject({ error: 'insufficient_scope', scope: 'probes:write' });
    await expect(machine({ scope: 'probes:read profile:write' })).rejects.toMatchObject(
      error('invalid_scope'),
    );
  });

  it('asks for a token for another resource, which is refused here', async () => {
    for (const { access_token: token } of [
      await machine({ resource: REPORTS }),
      await exchange({ resource: REPORTS }),
      await exchange({ audience: REPORTS }),
    ]) {
      expect(await oauth.tokenIntrospection(asKey, token)).toMatchObject({ active: true, aud: REPORTS });
      expect(await status(token)).toBe(401);
    }
    expect(await status((await machine({ resource: API })).access_token)).toBe(200);
    await expect(machine({ resource: 'https://elsewhere.example.com' })).rejects.toMatchObject(
      error('invalid_target'),
    );
    const two = new URLSearchParams([
      ['resource', API],
      ['resource', REPORTS],
    ]);
    await expect(oauth.clientCredentialsGrant(asKey, two)).rejects.toMatchObject(error('invalid_target'));
  });

  it('exchanges the key for a token', async () => {
    const tokens = await exchange({ scope: 'probes:read' });
    expect(tokens).toMatchObject({
      issued_token_type: ACCESS_TOKEN,
      token_type: 'bearer',
      expires_in: 600,
      scope: 'probes:read',
    });
    expect(await status(tokens.access_token)).toBe(200);
    expect(await exchange({ requested_token_type: JWT })).toMatchObject({ issued_token_type: JWT });
    await expect(exchange({ subject_token: `${key.key}x` })).rejects.toMatchObject(error('invalid_request'));
  });

  it.each(FORMATS)('refreshes as the public client where people sign in (%s)', async (format) => {
    const signedIn = await signIn(format);
    const first = await refresh(signedIn);
    expect(first.access_token.startsWith('at_')).toBe(format === 'opaque');
    expect(await status(first.access_token)).toBe(200);
    const narrow = await refresh(first.refresh_token!, { scope: 'profile:read' });
    expect(narrow.scope).toBe('profile:read');
    expect((await call(narrow.access_token)).status).toBe(403);
    const whole = await refresh(narrow.refresh_token!, { resource: API });
    expect(whole.scope).toContain('probes:read');
    await expect(refresh(whole.refresh_token!, { resource: REPORTS })).rejects.toMatchObject(
      error('invalid_target'),
    );
    // As another client: what is refused is not used up.
    await expect(oauth.refreshTokenGrant(asKey, whole.refresh_token!)).rejects.toMatchObject(
      error('invalid_grant'),
    );
    expect(await status((await refresh(whole.refresh_token!)).access_token)).toBe(200);
    // Long since used, and its successor as well: two hold it.
    await expect(refresh(first.refresh_token!)).rejects.toMatchObject(error('invalid_grant'));
    expect(await status(whole.access_token)).toBe(401);
  });

  it.each(FORMATS)('introspects and revokes the tokens of a person (%s)', async (format) => {
    const tokens = await refresh(await signIn(format));
    for (const token of [tokens.access_token, tokens.refresh_token!])
      expect(await oauth.tokenIntrospection(asKey, token)).toMatchObject({
        active: true,
        sub: ada.id,
        client_id: 'first-party',
      });
    await oauth.tokenRevocation(firstParty, tokens.access_token);
    expect(await status(tokens.access_token)).toBe(401);

    const next = await refresh(tokens.refresh_token!);
    await oauth.tokenRevocation(firstParty, next.refresh_token!, { token_type_hint: 'refresh_token' });
    expect(await status(next.access_token)).toBe(401);
    for (const token of [tokens.access_token, next.access_token, next.refresh_token!]) {
      expect(await oauth.tokenIntrospection(asKey, token)).toEqual({ active: false });
      await oauth.tokenRevocation(firstParty, token);
    }
    await expect(refresh(next.refresh_token!)).rejects.toMatchObject(error('invalid_grant'));
  });

  it('understands what it may not do', async () => {
    await expect(oauth.clientCredentialsGrant(firstParty)).rejects.toMatchObject(
      error('unauthorized_client'),
    );
    await expect(oauth.genericGrantRequest(asKey, 'password', { username: 'ada' })).rejects.toMatchObject(
      error('unsupported_grant_type'),
    );
    const other = await apiKeyOf(await context.server.person(), ['probes:read']);
    const asOther = await discover(other.id, oauth.ClientSecretBasic(other.key));
    const { access_token: token } = await machine();
    await expect(oauth.tokenRevocation(asOther, token)).rejects.toMatchObject(error('invalid_grant'));
    // Without the scope tokens:introspect.
    await expect(oauth.tokenIntrospection(asOther, token)).rejects.toMatchObject({
      status: 403,
      cause: [{ scheme: 'apikey', parameters: { error: 'insufficient_scope', scope: 'tokens:introspect' } }],
    });
    expect(await status(token)).toBe(200);
  });

  /** Signs Ada in, which is no part of OAuth here, and answers with her refresh token. */
  async function signIn(format: string): Promise<string> {
    const { email, password } = ada;
    const { body } = await context.server.anonymous.post('/v1/tokens', { email, password, format });
    return body.refresh_token;
  }
});
