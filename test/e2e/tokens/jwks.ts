import { beforeAll, describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, createRemoteJWKSet, importJWK, jwtVerify } from 'jose';
import type { TokenClient } from '../../support/person.js';
import { useServer } from '../../support/server.js';

const PATH = '/.well-known/jwks.json';

describe.each(['ES256', 'EdDSA'] as const)('GET /.well-known/jwks.json with %s', (algorithm) => {
  const context = useServer({ env: { JWT_ALGORITHM: algorithm } });
  let token: TokenClient;
  beforeAll(async () => {
    token = await (await context.server.person()).jwt();
  });

  const keys = async (): Promise<any[]> => (await context.server.anonymous.get(PATH)).body.keys;
  const options = () => ({
    issuer: context.server.config.ISSUER,
    audience: context.server.config.ISSUER,
    algorithms: [algorithm],
    typ: 'at+jwt',
  });

  it('is public, and may be kept for five minutes by everybody', async () => {
    const { status, headers } = await context.server.anonymous.get(PATH);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('cache-control')).toBe('public, max-age=300');
  });

  it('lists the key that signs now and the one that signs next', async () => {
    const rows: { kid: string; status: string }[] = await context.server.dataSource.query(
      'SELECT kid, status FROM signing_keys',
    );
    expect(new Set(rows.map(({ status }) => status))).toEqual(new Set(['active', 'next']));
    expect(new Set((await keys()).map(({ kid }) => kid))).toEqual(new Set(rows.map(({ kid }) => kid)));
    const active = rows.find(({ status }) => status === 'active')!;
    expect((await keys())[0].kid).toBe(active.kid);
    const header = JSON.parse(Buffer.from(token.accessToken.split('.')[0]!, 'base64url').toString());
    expect(header).toEqual({ alg: algorithm, kid: active.kid, typ: 'at+jwt' });
  });

  it.each<[string, (etag: string) => string, number]>([
    ['its ETag', (etag) => etag, 304],
    ['its ETag as a weak one, among others', (etag) => `"other", W/${etag}`, 304],
    ['any', () => '*', 304],
    ['another ETag', () => '"other"', 200],
    ['its ETag without quotes', (etag) => etag.slice(1, -1), 200],
  ])('answers If-None-Match with %s as it should', async (_what, header, expected) => {
    const first = await context.server.anonymous.get(PATH);
    const etag = first.headers.get('etag')!;
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    const client = context.server.anonymous.with({ 'If-None-Match': header(etag) });
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, body } = await client.call(method, PATH);
      expect({ status, etag: headers.get('etag') }).toEqual({ status: expected, etag });
      expect(headers.get('cache-control')).toBe('public, max-age=300');
      expect(body).toEqual(status === 200 && method === 'GET' ? first.body : undefined);
    }
  });

  it('has no private member', async () => {
    const members =
      algorithm === 'EdDSA'
        ? { kty: 'OKP', crv: 'Ed25519', x: expect.stringMatching(/^[\w-]{43}$/) }
        : {
            kty: 'EC',
            crv: 'P-256',
            x: expect.stringMatching(/^[\w-]{43}$/),
            y: expect.stringMatching(/^[\w-]{43}$/),
          };
    for (const key of await keys())
      expect(key).toEqual({ ...members, kid: expect.any(String), alg: algorithm, use: 'sig' });
  });

  it('names each key by its RFC 7638 thumbprint', async () => {
    for (const key of await keys()) expect(key.kid).toBe(await calculateJwkThumbprint(key));
  });

  it('is all that another service needs to verify a token', async () => {
    const published = createRemoteJWKSet(new URL(context.server.url + PATH));
    const { payload } = await jwtVerify(token.accessToken, published, options());
    expect(payload).toEqual(token.claims);
  });

  it('has no key beside the right one that verifies it', async () => {
    const [header] = token.accessToken.split('.');
    const { kid } = JSON.parse(Buffer.from(header!, 'base64url').toString());
    for (const key of await keys()) {
      const verified = jwtVerify(token.accessToken, await importJWK(key), options());
      if (key.kid === kid) await expect(verified).resolves.toMatchObject({ payload: token.claims });
      else await expect(verified).rejects.toThrow('signature verification failed');
    }
  });

  it('reads no credential, and no other method', async () => {
    const { anonymous } = context.server;
    const forged = anonymous.with({ Authorization: 'Bearer junk', 'X-API-Key': 'junk' });
    expect((await forged.get(PATH)).status).toBe(200);
    expect((await anonymous.post(PATH, {})).status).toBe(405);
  });
});
