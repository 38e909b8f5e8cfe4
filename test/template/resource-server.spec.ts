import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { byIntrospection } from '../../examples/resource-server/by-introspection.js';
import { byKeys, type KeyOptions } from '../../examples/resource-server/by-keys.js';
import { createResourceServer } from '../../examples/resource-server/server.js';
import type { Verify } from '../../examples/resource-server/verify.js';
import { SigningKeyRotation } from '../../src/modes/jwt/signing-keys/signing-keys.rotation.js';
import { Client } from '../support/client.js';
import { basic, postForm } from '../support/form.js';
import { apiKeyOf, type KeyClient } from '../support/modes/api-key.js';
import { jwtOf } from '../support/modes/jwt.js';
import type { Person } from '../support/person.js';
import { sendRaw } from '../support/raw-http.js';
import { SecretKeeper } from '../support/secret-keeper.js';
import { type TestServer, useServer } from '../support/server.js';
import { runTour, tourOf } from './tour.js';

const ISSUER = 'http://auth.example.com';
const API = 'http://api.example.com';
const AUDIENCE = 'http://localhost:4000';
const PATH = '/shipments';

const jwksOf = ({ url }: { url: string }) => `${url}/.well-known/jwks.json`;
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const secrets = new SecretKeeper();
const status = async (at: Client, token: string) => (await at.with(bearer(token)).get(PATH)).status;
const rotate = (server: TestServer) => server.provider<SigningKeyRotation>('SigningKeyRotation').rotate();

/** HTTP servers on ports of their own, all closed at the end. */
function useListeners() {
  const open: Server[] = [];
  afterAll(() => open.forEach((server) => server.close().closeAllConnections()));
  return async (server: Server): Promise<string> => {
    open.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
}

describe('the example of a resource server', () => {
  const context = useServer({ env: { ISSUER, AUDIENCES: `${API} ${AUDIENCE}` } });
  const listen = useListeners();
  const serve = async (verify: Verify) => new Client(await listen(createResourceServer(verify)), secrets);
  let ada: Person;
  let key: KeyClient;
  let serviceUrl: string;
  let service: Client;
  let introspecting: Client;
  /** How much time has passed for the service too, in milliseconds. */
  let passed = 0;

  beforeAll(async () => {
    const { server } = context;
    ada = await server.person();
    key = await apiKeyOf(ada, ['orders:read', 'orders:write', 'tokens:introspect']);
    const now = () => new Date(Date.now() + passed);
    const verify = byKeys({ issuer: ISSUER, audience: AUDIENCE, url: jwksOf(server) }, { now });
    serviceUrl = await listen(createResourceServer(verify));
    service = new Client(serviceUrl, secrets);
    const url = `${server.url}/oauth/introspect`;
    introspecting = await serve(byIntrospection({ issuer: ISSUER, audience: AUDIENCE, url }, key));
  });

  const onApi = (token: string) =>
    context.server.anonymous
      .with(bearer(token))
      .get('/v1/orders')
      .then((answer) => answer.status);
  const person = async (fields: object = { resource: AUDIENCE }): Promise<Record<string, string>> => {
    const { email, password } = ada;
    return (await context.server.anonymous.post('/v1/tokens', { email, password, ...fields })).body;
  };
  const machine = async (fields: Record<string, string> = { resource: AUDIENCE }): Promise<string> => {
    const form = { grant_type: 'client_credentials', ...fields };
    const { body } = await postForm(context.server.anonymous, '/oauth/token', form, basic(key.id, key.key));
    return body.access_token;
  };

  it("takes people's and machines' tokens that were made for it, and the API refuses those", async () => {
    for (const token of [(await person())['access_token']!, await machine()]) {
      const answer = await service.with(bearer(token)).get(PATH);
      expect(answer).toMatchObject({ status: 200, body: { of: ada.id } });
      expect(await status(introspecting, token)).toBe(200);
      expect(await onApi(token)).toBe(401);
    }
  });

  it('refuses those that were made for the API', async () => {
    for (const token of [(await person({}))['access_token']!, await machine({})]) {
      expect(await onApi(token)).toBe(200);
      expect(await status(service, token)).toBe(401);
      expect(await status(introspecting, token)).toBe(401);
    }
  });

  it('asks for a scope, and names the one that is missing', async () => {
    const client = service.with(bearer(await machine({ resource: AUDIENCE, scope: 'orders:read' })));
    expect((await client.get(PATH)).status).toBe(200);
    const answer = await client.post(PATH);
    expect(answer.status).toBe(403);
    expect(answer.challenges).toBe(
      'Bearer realm="shipments", error="insufficient_scope", scope="orders:write"',
    );
    expect((await service.with(bearer(await machine())).post(PATH)).status).toBe(200);
  });

  it('answers with a challenge and a problem', async () => {
    const none = await service.get(PATH);
    expect(none).toMatchObject({ status: 401, challenges: 'Bearer realm="shipments"' });
    expect(none.body).toEqual({ type: 'about:blank', title: expect.any(String), status: 401 });
    expect(none.headers.get('content-type')).toBe('application/problem+json');
    const bad = await service.with(bearer('a.b.c')).get(PATH);
    expect(bad).toMatchObject({ status: 401, challenges: 'Bearer realm="shipments", error="invalid_token"' });
    expect((await service.get('/elsewhere')).status).toBe(404);
  });

  it('takes one bearer token and nothing else', async () => {
    const token = await machine();
    for (const Authorization of [
      `Bearer ${token} junk`,
      `Bearer ${token}, Bearer ${token}`,
      `Basic ${token}`,
    ])
      expect((await service.with({ Authorization }).get(PATH)).status).toBe(401);
    expect((await service.with({ Authorization: `Bearer  ${token}` }).get(PATH)).status).toBe(200);
    expect((await service.get(`${PATH}?access_token=${token}`)).status).toBe(404);
    const twice = `Authorization: Bearer ${token}\r\n`.repeat(2);
    const answer = await sendRaw(
      serviceUrl,
      `GET ${PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${twice}\r\n`,
    );
    expect(answer.status).toBe(401);
  });

  it('goes on to take a token that was revoked, until it expires; introspection does not', async () => {
    const { access_token: token } = await person();
    expect(await status(introspecting, token!)).toBe(200);
    await postForm(context.server.anonymous, '/oauth/revoke', { token: token! });
    expect(await status(service, token!)).toBe(200);
    expect(await status(introspecting, token!)).toBe(401);
    await context.server.clock.advance('11m');
    passed = 11 * 60_000;
    expect(await status(service, token!)).toBe(401);
    await context.server.clock.reset();
    passed = 0;
  });

  it('goes on to take the token of a user who was signed out; introspection does not', async () => {
    const { access_token: token } = await person();
    const jwt = await jwtOf(ada);
    await jwt.delete('/v1/sessions');
    expect(await status(service, token!)).toBe(200);
    expect(await status(introspecting, token!)).toBe(401);
  });

  // room: opaque-tokens
  it('takes opaque tokens by introspection alone, and no refresh token', async () => {
    const { access_token, refresh_token } = await person({ resource: AUDIENCE, format: 'opaque' });
    expect(await status(introspecting, access_token!)).toBe(200);
    expect(await status(service, access_token!)).toBe(401);
    expect(await status(introspecting, refresh_token!)).toBe(401);
  });
  // /room

  it("asks about its own user's tokens", async () => {
    const { email, password } = await context.server.person();
    const fields = { email, password, resource: AUDIENCE };
    const { body } = await context.server.anonymous.post('/v1/tokens', fields);
    expect(await status(service, body.access_token)).toBe(200);
    expect(await status(introspecting, body.access_token)).toBe(401);
  });

  it('lets nobody in while the issuer cannot be asked', async () => {
    const token = await machine();
    const failing = await listen(createServer((_request, response) => response.writeHead(500).end()));
    for (const url of ['http://127.0.0.1:1', failing, `${context.server.url}/v1/orders`]) {
      const issuer = { issuer: ISSUER, audience: AUDIENCE, url };
      for (const verify of [byKeys(issuer), byIntrospection(issuer, key)]) {
        const answer = await (await serve(verify)).with(bearer(token)).get(PATH);
        expect(answer).toMatchObject({ status: 503, challenges: null });
        expect(answer.headers.get('retry-after')).toBe('5');
      }
    }
  });

  it('has a README in which every line answers what it says', async () => {
    const { server } = context;
    const readme = await readFile('examples/resource-server/README.md', 'utf8');
    const { expected, statuses, code, output } = await runTour(tourOf(readme), {
      'http://localhost:3000': server.url,
      'http://localhost:4000/': `${serviceUrl}/`,
    });
    expect(expected.length).toBeGreaterThan(10);
    expect({ statuses, code, output: code === 0 ? '' : output }).toEqual({
      statuses: expected,
      code: 0,
      output: '',
    });
  });
});

describe.each(['ES256', 'EdDSA'])(
  'the example of a resource server, through rotations of %s keys',
  (algorithm) => {
    const context = useServer({
      env: { ISSUER, AUDIENCES: `${API} ${AUDIENCE}`, JWT_ALGORITHM: algorithm },
    });
    const listen = useListeners();
    const serve = async (options?: KeyOptions) => {
      const verify = byKeys({ issuer: ISSUER, audience: AUDIENCE, url: jwksOf(context.server) }, options);
      return new Client(await listen(createResourceServer(verify)), secrets);
    };

    it('knows the next key before it signs, and reads the keys again for one that was never announced', async () => {
      const { server } = context;
      const ada = await server.person();
      const [patient, eager] = [await serve(), await serve({ cooldownMs: 0 })];
      const statuses = async (token: string) => [
        (await patient.with(bearer(token)).get(PATH)).status,
        (await eager.with(bearer(token)).get(PATH)).status,
      ];
      const token = async () => (await jwtOf(ada, { resource: AUDIENCE })).accessToken;

      const first = await token();
      expect(await statuses(first)).toEqual([200, 200]);
      await rotate(server);
      expect(await statuses(await token())).toEqual([200, 200]);
      // Twice within the time for which the keys are kept: only an emergency does that.
      await rotate(server);
      expect(await statuses(await token())).toEqual([401, 200]);
      expect(await statuses(first)).toEqual([200, 200]);
    });
  },
);

describe('the example of a resource server, and an issuer that signs anything', () => {
  const listen = useListeners();
  let service: Client;
  let keys: Record<'EdDSA' | 'RS256' | 'unpublished', CryptoKey>;

  beforeAll(async () => {
    const [edDsa, rs256, unpublished] = await Promise.all([
      generateKeyPair('EdDSA'),
      generateKeyPair('RS256'),
      generateKeyPair('EdDSA'),
    ]);
    keys = {
      EdDSA: edDsa.privateKey,
      RS256: rs256.privateKey,
      unpublished: unpublished.privateKey,
    };
    const published = JSON.stringify({
      keys: [
        { ...(await exportJWK(edDsa.publicKey)), kid: 'ed', alg: 'EdDSA', use: 'sig' },
        { ...(await exportJWK(rs256.publicKey)), kid: 'rs', alg: 'RS256', use: 'sig' },
      ],
    });
    const url = await listen(createServer((_request, response) => response.end(published)));
    const verify = byKeys({ issuer: ISSUER, audience: AUDIENCE, url }, { now: () => NOW });
    service = new Client(await listen(createResourceServer(verify)), secrets);
  });

  /** The service's clock stands still: what is valid does not depend on how fast the tests run. */
  const NOW = new Date('2030-01-01T00:00:00Z');
  const seconds = NOW.getTime() / 1000;
  const CLAIMS = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'ada',
    jti: '1',
    client_id: 'first-party',
    scope: 'orders:read',
    iat: seconds,
    exp: seconds + 600,
  };
  const HEADER = { alg: 'EdDSA', kid: 'ed', typ: 'at+jwt' };

  const make = (claims: object, header: object = {}, key: keyof typeof keys = 'EdDSA') =>
    new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader({ ...HEADER, ...header }).sign(keys[key]);
  /** Signs a header and a payload as they are written. */
  const sign = async (payload: string | Buffer, header: string = JSON.stringify(HEADER)) => {
    const input = [header, payload].map((part) => Buffer.from(part).toString('base64url')).join('.');
    const signature = await crypto.subtle.sign('Ed25519', keys.EdDSA, Buffer.from(input));
    return `${input}.${Buffer.from(signature).toString('base64url')}`;
  };
  const statusOf = async (token: string) => (await service.with(bearer(token)).get(PATH)).status;

  it('takes what is right in every way', async () => {
    expect(await statusOf(await make({}))).toBe(200);
    expect(await statusOf(await sign(JSON.stringify({ ...CLAIMS, note: '\u{1F600}' })))).toBe(200);
  });

  it.each(['AT+JWT', 'application/at+jwt', 'Application/At+Jwt'])('takes the type %s', async (typ) => {
    expect(await statusOf(await make({}, { typ }))).toBe(200);
  });

  it.each<[string, () => Promise<string> | string]>([
    ['another type of token', () => make({}, { typ: 'JWT' })],
    [
      'an algorithm that is not expected, with a published key',
      () => make({}, { alg: 'RS256', kid: 'rs' }, 'RS256'),
    ],
    ['no kid', () => make({}, { kid: undefined })],
    ['an unknown kid', () => make({}, { kid: 'other' })],
    ['the signature of another key', () => make({}, {}, 'unpublished')],
    ['no signature', () => new UnsecuredJWT(CLAIMS).encode()],
    ['another issuer', () => make({ iss: 'http://elsewhere.example.com' })],
    ['another audience', () => make({ aud: API })],
    ['an audience besides others', () => make({ aud: [AUDIENCE, API] })],
    ['a byte order mark before the payload', () => sign(`\u{FEFF}${JSON.stringify(CLAIMS)}`)],
    [
      'a byte order mark before the header',
      () => sign(JSON.stringify(CLAIMS), `\u{FEFF}${JSON.stringify(HEADER)}`),
    ],
    ['an unpaired surrogate', () => make({ note: '\u{D800}' })],
    ['an unpaired surrogate in the header', () => make({}, { note: '\u{D800}' })],
    [
      'bytes that are not UTF-8',
      () => sign(Buffer.from(JSON.stringify({ ...CLAIMS, note: '\xff' }), 'latin1')),
    ],
    ['what has expired', () => make({ iat: seconds - 600, exp: seconds - 1 })],
    ['what is issued in the future', () => make({ iat: seconds + 60 })],
    ['what is older than any token may be', () => make({ iat: seconds - 1000 })],
    ['a sub that is no text', () => make({ sub: 42 })],
    ['a client that is no text', () => make({ client_id: ['a'] })],
    ['a list of scopes', () => make({ scope: ['orders:read'] })],
    ['what is bound to a certificate', () => make({ cnf: { 'x5t#S256': 'A'.repeat(43) } })],
    ...Object.keys(CLAIMS).map((claim): [string, () => Promise<string>] => [
      `no ${claim}`,
      () => make({ [claim]: undefined }),
    ]),
  ])('refuses %s', async (_name, token) => {
    expect(await statusOf(await token())).toBe(401);
  });
});

describe('the example of a resource server, and an issuer that says anything of a token', () => {
  const listen = useListeners();
  let service: Client;
  let told: object;

  beforeAll(async () => {
    const url = await listen(createServer((_request, response) => response.end(JSON.stringify(told))));
    const verify = byIntrospection({ issuer: ISSUER, audience: AUDIENCE, url }, { id: 'id', key: 'key' });
    service = new Client(await listen(createResourceServer(verify)), secrets);
  });

  const GOOD = {
    active: true,
    iss: ISSUER,
    aud: AUDIENCE,
    token_type: 'Bearer',
    sub: 'ada',
    client_id: 'first-party',
    scope: 'orders:read',
  };

  it('takes what is right in every way', async () => {
    told = GOOD;
    expect(await status(service, 'any')).toBe(200);
  });

  it.each<object>([
    { active: false },
    { active: 'true' },
    { iss: 'http://elsewhere.example.com' },
    { aud: API },
    { aud: [AUDIENCE, API] },
    { token_type: null },
    { sub: null },
    { client_id: null },
    { scope: null },
    { cnf: { 'x5t#S256': 'A'.repeat(43) } },
  ])('refuses %j', async (wrong) => {
    told = { ...GOOD, ...wrong };
    expect(await status(service, 'any')).toBe(401);
  });
});
