import { beforeAll, describe, expect, it } from '@jest/globals';
import * as oauth from 'openid-client';
import type { KeyClient, Person } from '../../support/person.js';
import { useServer } from '../../support/server.js';

/** A client that knows OAuth and nothing of us: it finds everything by the metadata. */
describe('an OAuth client from npm', () => {
  const context = useServer();
  let ada: Person;
  let key: KeyClient;
  beforeAll(async () => {
    // The server gets its port when it listens, and names itself by it from here on.
    Object.assign(context.server.config, { ISSUER: context.server.url });
    ada = await context.server.person();
    key = await ada.apiKey(['orders:read', 'orders:write', 'tokens:introspect']);
  });

  const discover = (id: string, authentication: oauth.ClientAuth) =>
    oauth.discovery(new URL(context.server.url), id, undefined, authentication, {
      algorithm: 'oauth2',
      execute: [oauth.allowInsecureRequests],
    });
  const asKey = (authentication = oauth.ClientSecretBasic(key.key)) => discover(key.id, authentication);
  const firstParty = () => discover('first-party', oauth.None());
  const status = async (accessToken: string) => {
    const config = await firstParty();
    const url = new URL(`${context.server.url}/v1/orders`);
    const options = await oauth
      .fetchProtectedResource(config, accessToken, url, 'GET')
      .catch((error: { status: number }) => error);
    return options.status;
  };
  const keep = (...tokens: (string | undefined)[]) =>
    tokens.forEach((token) => token !== undefined && context.server.secrets.keep(token));

  it('reads the metadata', async () => {
    const metadata = (await asKey()).serverMetadata();
    expect(metadata.issuer).toBe(context.server.url);
    expect(metadata.token_endpoint).toBe(`${context.server.url}/oauth/token`);
  });

  it.each(['client_secret_basic', 'client_secret_post'])('gets a token by %s', async (method) => {
    const authenticate = method === 'client_secret_basic' ? oauth.ClientSecretBasic : oauth.ClientSecretPost;
    const config = await asKey(authenticate(key.key));
    const tokens = await oauth.clientCredentialsGrant(config, { scope: 'orders:read' });
    keep(tokens.access_token);
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 600, scope: 'orders:read' });
    expect(await status(tokens.access_token)).toBe(200);
  });

  it('exchanges the key for a token', async () => {
    const grant = 'urn:ietf:params:oauth:grant-type:token-exchange';
    const type = 'urn:ietf:params:oauth:token-type:access_token';
    const tokens = await oauth.genericGrantRequest(await asKey(), grant, {
      subject_token: key.key,
      subject_token_type: type,
      scope: 'orders:read',
    });
    keep(tokens.access_token);
    expect(tokens['issued_token_type']).toBe(type);
    expect(await status(tokens.access_token)).toBe(200);
  });

  it('refreshes, introspects and revokes', async () => {
    const { refreshToken } = await ada.jwt();
    const config = await firstParty();
    const tokens = await oauth.refreshTokenGrant(config, refreshToken);
    keep(tokens.access_token, tokens.refresh_token);
    expect(await status(tokens.access_token)).toBe(200);

    const introspector = await asKey();
    expect(await oauth.tokenIntrospection(introspector, tokens.access_token)).toMatchObject({
      active: true,
      sub: ada.id,
      client_id: 'first-party',
    });
    await oauth.tokenRevocation(config, tokens.access_token);
    expect(await status(tokens.access_token)).toBe(401);
    expect(await oauth.tokenIntrospection(introspector, tokens.access_token)).toEqual({ active: false });
    await oauth.tokenRevocation(config, tokens.refresh_token!);
    await expect(oauth.refreshTokenGrant(config, tokens.refresh_token!)).rejects.toMatchObject({
      error: 'invalid_grant',
      status: 400,
    });
  });

  it('understands the refusals', async () => {
    await expect(
      oauth.clientCredentialsGrant(await asKey(), { scope: 'profile:write' }),
    ).rejects.toMatchObject({ error: 'invalid_scope', status: 400 });
    await expect(
      oauth.clientCredentialsGrant(await asKey(oauth.ClientSecretPost(`${key.key}x`))),
    ).rejects.toMatchObject({ status: 401 });
  });
});
