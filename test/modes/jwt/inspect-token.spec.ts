import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { inspect, ISSUER } from '../../support/inspect.js';

const now = Math.floor(Date.now() / 1000);
const CLAIMS = {
  iss: ISSUER,
  aud: ISSUER,
  sub: uuidv7(),
  jti: uuidv7(),
  sid: uuidv7(),
  scope: 'profile:read',
  client_id: 'first-party',
  amr: ['pwd'],
  acr: 'aal1',
  auth_time: now,
  iat: now,
  exp: now + 600,
};
const HEADER = { alg: 'ES256', kid: 'k1', typ: 'at+jwt' };

describe('npm run inspect with a JWT', () => {
  let key: Awaited<ReturnType<typeof generateKeyPair>>;
  let directory: string;
  beforeAll(async () => {
    key = await generateKeyPair('ES256');
    directory = await mkdtemp(join(tmpdir(), 'inspect-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const sign = (claims: object = {}, header: object = {}) =>
    new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader({ ...HEADER, ...header }).sign(key.privateKey);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const jwks = async (...keys: object[]) => {
    const file = join(directory, `${uuidv7()}.json`);
    await writeFile(file, JSON.stringify({ keys }));
    return ['--jwks', file];
  };
  const published = async (changes: object = {}) => ({
    ...(await exportJWK(key.publicKey)),
    kid: 'k1',
    alg: 'ES256',
    ...changes,
  });

  it('decodes header, claims and times, and says that the signature is not checked', async () => {
    const token = await sign({ tenant: 'a' });
    for (const text of [token, `Authorization: Bearer ${token}`]) {
      const output = await inspect(text);
      expect(output).toMatch(/^JWT access token/);
      expect(output).toMatch(/form +accepted\n +header alg +ES256\n +header kid +k1/);
      expect(output).toContain(new Date(CLAIMS.exp * 1000).toISOString());
      expect(output).toMatch(/claim exp +\S+ \(in \d+ s\)/);
      expect(output).toMatch(/claim tenant +a \(unknown: the server ignores it\)/);
      expect(output).toMatch(/signature +not checked/);
      expect(output).not.toContain(token.split('.')[2]);
    }
  });

  it.each([
    ['an expired token', { iat: now - 700, exp: now - 100 }, {}, 'token expired'],
    ['a token from the future', { iat: now + 500, exp: now + 600 }, {}, 'token issued in the future'],
    ['a token that lives too long', { exp: now + 3600 }, {}, 'token lives too long'],
    ['another issuer', { iss: 'https://other.example.com' }, {}, 'unexpected iss'],
    ['an unknown audience', { aud: 'https://other.example.com' }, {}, 'unexpected aud'],
    ['several audiences', { aud: [ISSUER] }, {}, 'claims: aud invalid_type'],
    ['a missing claim', { jti: undefined }, {}, 'claims: jti invalid_type'],
    ['another type', {}, { typ: 'JWT' }, 'header: typ invalid_format'],
    ['a missing kid', {}, { kid: undefined }, 'header: kid invalid_type'],
    ['an unknown parameter', {}, { x5u: 'https://example.com' }, 'header: unrecognized_keys'],
  ])('names the fault of %s', async (_what, claims, header, fault) => {
    const output = await inspect(await sign(claims, header));
    expect(output).toMatch(new RegExp(`refused +${fault}`));
    expect(output).not.toMatch(/form +accepted/);
  });

  it('tells an audience of another service from an unknown one', async () => {
    const env = { AUDIENCES: `${ISSUER} https://reports.example.com` };
    const token = await sign({ aud: 'https://reports.example.com' });
    expect(await inspect(token, [], env)).toMatch(/refused +token for another audience/);
  });

  it('names the fault of another form', async () => {
    const token = await sign();
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const none = `${part({ alg: 'none' })}.${payload}.`;
    const form = /refused +not three canonical base64url segments/;
    for (const text of [`${header}.${payload}`, `${token}.x`, `${token}=`, none])
      expect(await inspect(text)).toMatch(form);
    expect(await inspect(`${part({ ...HEADER, alg: 'HS256' })}.${payload}.${signature}`)).toMatch(
      /refused +header: alg invalid_value/,
    );
    expect(await inspect(`eyJ${'x'.repeat(9000)}`)).toMatch(/refused +token too long/);
    expect(await inspect('Authorization: Bearer eyJ')).toMatch(form);
  });

  it('checks the signature with the keys of a file', async () => {
    const token = await sign();
    expect(await inspect(token, await jwks(await published()))).toMatch(/signature +right/);
    const other = await exportJWK((await generateKeyPair('ES256')).publicKey);
    expect(await inspect(token, await jwks({ ...other, kid: 'k1', alg: 'ES256' }))).toMatch(
      /refused +signature verification failed/,
    );
    expect(await inspect(token, await jwks(await published({ kid: 'k2' })))).toMatch(/refused +unknown kid/);
  });

  it('refuses a file without keys, or with a key for another algorithm', async () => {
    const token = await sign();
    for (const argv of [['--jwks', join(directory, 'none.json')], await jwks({ kid: 'k1' })])
      await expect(inspect(token, argv)).rejects.toThrow(/^--jwks: must be a file with the answer of/);
    for (const changes of [{ alg: 'EdDSA' }, { alg: 'EdDSA', crv: 'Ed25519' }, { x: 'x' }])
      await expect(inspect(token, await jwks(await published(changes)))).rejects.toThrow(
        /not valid for its alg/,
      );
  });
});
