import { createHmac, createPublicKey, type webcrypto } from 'node:crypto';
import { request } from 'node:http';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { generateKeyPair } from 'jose';
import { SigningKeysService } from '../../../src/modes/jwt/signing-keys/signing-keys.service.js';
import type { Answer } from '../../support/client.js';
import { InProcessServer } from '../../support/in-process.js';
// room: own-api-keys
import { apiKeyOf } from '../../support/modes/api-key.js';
// /room
import { jwtOf, type TokenClient } from '../../support/modes/jwt.js';
// room: oauth
import { type MachineClient, machineOf } from '../../support/modes/machine.js';
// /room
// room: sessions
import { sessionOf } from '../../support/modes/session.js';
// /room
import type { Person } from '../../support/person.js';
import { useStarted } from '../../support/server.js';

type Json = Record<string, unknown>;

/** Asks the database about the token. */
const LIVE = '/v1/probes/live';
/** Needs no query. */
const PLAIN = '/v1/probes/principal';
/** Of a 401 with a bad token. */
const CHALLENGE = [
  // room: api-keys
  'ApiKey realm="api"',
  // /room
  'Bearer realm="api", error="invalid_token"',
  // room: sessions
  'Session realm="api"',
  // /room
].join(', ');

const INVALID = { status: 401, problem: 'invalid-credential' };
const BAD_FORM = 'not three canonical base64url segments';
const BAD_HEADER = /^header: /;
const BAD_CLAIMS = /^claims: /;
const BEFORE_PROOF = 'token from before the last proof of identity';
const BAD_SIGNATURE = 'signature verification failed';

const encode = (part: Json | string) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

const now = () => Math.floor(Date.now() / 1000);

const SIGNING = {
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
} as const;

/** Signs whatever it is given, also what no library would. */
async function signed(
  header: Json | string,
  claims: Json | string,
  key: webcrypto.CryptoKey,
): Promise<string> {
  const input = `${encode(header)}.${encode(claims)}`;
  const how = key.algorithm.name === 'ECDSA' ? SIGNING.ES256 : SIGNING.EdDSA;
  const signature = await crypto.subtle.sign(how, key, Buffer.from(input));
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

describe.each(['ES256', 'EdDSA'] as const)('a JWT from elsewhere, where %s signs,', (algorithm) => {
  const otherAlgorithm = algorithm === 'ES256' ? 'EdDSA' : 'ES256';
  // However slow the machine is, the feed is current: what a plain route believes is the point of some of these.
  const context = useStarted(() =>
    InProcessServer.start({ env: { FEED_MAX_LAG: '20s', JWT_ALGORITHM: algorithm } }),
  );
  let ada: Person;
  let token: TokenClient;
  let ours: webcrypto.CryptoKey;
  let theirs: webcrypto.CryptoKey;
  let jwk: { kid: string; x: string };
  let header: Json;

  beforeAll(async () => {
    const { server } = context;
    ada = await server.person();
    token = await jwtOf(ada);
    const signer = await server.app.get(SigningKeysService).signer();
    ours = signer.privateKey;
    theirs = (await generateKeyPair(algorithm)).privateKey;
    const { body } = await server.anonymous.get('/.well-known/jwks.json');
    jwk = body.keys.find(({ kid }: { kid: string }) => kid === signer.kid);
    header = { alg: algorithm, kid: jwk.kid, typ: 'at+jwt' };
  });
  afterEach(() => context.server.clock.reset());

  const withClaims = (changed: Json) => signed(header, { ...token.claims, ...changed }, ours);
  const withHeader = (changed: Json, key = ours) => signed({ ...header, ...changed }, token.claims, key);
  const segments = () => token.accessToken.split('.') as [string, string, string];

  const send = (authorization: string, path = PLAIN): Promise<Answer> =>
    context.server.anonymous.with({ Authorization: authorization }).get(path);

  /** The answer is the same for all; why is in the log, and only there. */
  async function expectRefusal(authorization: string, reason: string | RegExp, path = PLAIN): Promise<void> {
    const answer = await send(authorization, path);
    expect(answer).toMatchObject(INVALID);
    expect(answer.body.detail).toBe('The credential is not valid.');
    expect(answer.challenges).toBe(CHALLENGE);
    const entry = context.server
      .entries()
      .find(({ event, requestId }) => event === 'request.refused' && requestId === answer.body.instance);
    expect(entry).toMatchObject({ reason: expect.stringMatching(reason) });
  }

  /** Twenty tokens, each with a kid that nobody knows. */
  const sendForeign = async (prefix: string) => {
    const tokens = Array.from({ length: 20 }, (_, i) => withHeader({ kid: `${prefix}${i}` }, theirs));
    for (const answer of await Promise.all(tokens.map(async (forged) => send(`Bearer ${await forged}`))))
      expect(answer).toMatchObject(INVALID);
  };

  it('is taken if it is one of ours in every detail: the forgeries below fail for what they change', async () => {
    expect(await send(`Bearer ${await withClaims({})}`)).toMatchObject({
      status: 200,
      body: { subject: ada.id, credentialId: token.claims['jti'] },
    });
  });

  describe('is refused unsigned', () => {
    it.each(['none', 'None', 'NONE', 'nOnE'])('as alg %s', async (alg) => {
      const claims = encode(token.claims);
      for (const head of [{ alg }, { ...header, alg }]) {
        await expectRefusal(`Bearer ${encode(head)}.${claims}.`, BAD_FORM);
        await expectRefusal(`Bearer ${encode(head)}.${claims}.${segments()[2]}`, BAD_HEADER);
      }
    });

    it('with our header and an empty signature, or none', async () => {
      const [head, claims] = segments();
      for (const text of [`${head}.${claims}.`, `${head}.${claims}`])
        await expectRefusal(`Bearer ${text}`, BAD_FORM);
    });

    it('with the signature of something else', async () => {
      const [head, , signature] = segments();
      const claims = encode({ ...token.claims, scope: 'admin:users' });
      await expectRefusal(`Bearer ${head}.${claims}.${signature}`, BAD_SIGNATURE);
      await expectRefusal(`Bearer ${head}.${claims}.${'A'.repeat(86)}`, BAD_SIGNATURE);
    });
  });

  describe('is refused with our public key as the secret of', () => {
    it.each<[string, () => string | Buffer]>([
      ['the raw key', () => Buffer.from(jwk.x, 'base64url')],
      ['its text', () => jwk.x],
      ['the JWK', () => JSON.stringify(jwk)],
      [
        'the PEM',
        () => createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({ format: 'pem', type: 'spki' }),
      ],
    ])('HS256: %s', async (_what, secret) => {
      for (const alg of ['HS256', algorithm]) {
        const input = `${encode({ ...header, alg })}.${encode(token.claims)}`;
        const mac = createHmac('sha256', secret()).update(input).digest('base64url');
        await expectRefusal(`Bearer ${input}.${mac}`, alg === 'HS256' ? BAD_HEADER : BAD_SIGNATURE);
      }
    });
  });

  describe('is refused by its header, though our key signed it:', () => {
    it.each<[string, Json, string | RegExp]>([
      ['typ JWT', { typ: 'JWT' }, BAD_HEADER],
      ['typ of an id token', { typ: 'application/id_token+jwt' }, BAD_HEADER],
      ['no typ', { typ: undefined }, BAD_HEADER],
      ['no kid', { kid: undefined }, BAD_HEADER],
      ['a kid that is a path', { kid: '../../dev/null' }, 'unknown kid'],
      ['a kid that is a query', { kid: "' OR '1'='1" }, 'unknown kid'],
      ['a kid that every object has', { kid: '__proto__' }, 'unknown kid'],
      ['the other alg', { alg: otherAlgorithm }, /alg/],
      ['alg Ed25519', { alg: 'Ed25519' }, BAD_HEADER],
      ['jwk', { jwk: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) } }, BAD_HEADER],
      ['jku', { jku: 'https://evil.example.com/jwks.json' }, BAD_HEADER],
      ['x5u', { x5u: 'https://evil.example.com/chain.pem' }, BAD_HEADER],
      ['x5c', { x5c: ['MIIB'] }, BAD_HEADER],
      ['crit', { crit: ['exp'], exp: 0 }, BAD_HEADER],
      ['b64', { b64: false, crit: ['b64'] }, BAD_HEADER],
      ['zip', { zip: 'DEF' }, BAD_HEADER],
      ['enc', { enc: 'A256GCM' }, BAD_HEADER],
    ])('%s', async (_what, changed, reason) => {
      await expectRefusal(`Bearer ${await withHeader(changed)}`, reason);
    });

    it('one that is no object, or no JSON', async () => {
      for (const head of ['null', '[]', '"ES256"', '{"alg":"ES256"', '\u{FEFF}{}'])
        await expectRefusal(`Bearer ${await signed(head, token.claims, ours)}`, BAD_HEADER);
    });
  });

  describe('is refused from another key', () => {
    it('under our kid', async () => {
      await expectRefusal(`Bearer ${await withHeader({}, theirs)}`, BAD_SIGNATURE);
    });

    it('under its own kid', async () => {
      await expectRefusal(`Bearer ${await withHeader({ kid: 'A'.repeat(43) }, theirs)}`, 'unknown kid');
    });

    it('[V9.1.3] that it brings along', async () => {
      const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
      const brought = (await crypto.subtle.exportKey('jwk', publicKey)) as Json;
      const forged = await withHeader({ jwk: brought }, privateKey);
      await expectRefusal(`Bearer ${forged}`, BAD_HEADER);
    });

    it('under our next kid', async () => {
      const { keys } = (await context.server.anonymous.get('/.well-known/jwks.json')).body;
      const { kid } = keys.find((key: { kid: string }) => key.kid !== jwk.kid);
      await expectRefusal(`Bearer ${await withHeader({ kid })}`, BAD_SIGNATURE);
    });

    it('with one query in ten seconds at most, however many kids there are', async () => {
      const { clock } = context.server;
      const dataSource = context.server.dataSource;
      const queries = jest.spyOn(dataSource.logger, 'logQuery');
      const ofKeys = () => queries.mock.calls.filter(([sql]) => sql.includes('signing_keys'));
      clock.advance('11s');
      await sendForeign('a');
      await sendForeign('b');
      expect(ofKeys()).toHaveLength(1);
      clock.advance('4s');
      await sendForeign('c');
      expect(ofKeys()).toHaveLength(1);
      clock.advance('7s');
      await sendForeign('d');
      expect(ofKeys()).toHaveLength(2);
      queries.mockRestore();
    });
  });

  describe('is refused by its claims, though our key signed it:', () => {
    it.each([
      'iss',
      'aud',
      'sub',
      'exp',
      'iat',
      'jti',
      'sid',
      'scope',
      'auth_time',
      'amr',
      'acr',
      'client_id',
    ])('no %s', async (name) => {
      await expectRefusal(`Bearer ${await withClaims({ [name]: undefined })}`, new RegExp(name));
    });

    it.each<[string, () => Json, string | RegExp]>([
      ['another iss', () => ({ iss: 'https://evil.example.com' }), /iss/],
      ['an iss that is a list', () => ({ iss: [context.server.config.ISSUER] }), /iss/],
      ['another aud', () => ({ aud: 'https://evil.example.com' }), /aud/],
      ['other auds', () => ({ aud: ['https://evil.example.com', ''] }), /aud/],
      ['ours besides another aud', () => ({ aud: [token.claims['aud'], 'https://evil.example.com'] }), /aud/],
      ['a sub that is a list', () => ({ sub: [ada.id] }), BAD_CLAIMS],
      ['a sub that is no id', () => ({ sub: 'ada' }), BAD_CLAIMS],
      ['a jti that is no id', () => ({ jti: '1\0' }), BAD_CLAIMS],
      ['a client that is none', () => ({ client_id: "' OR 1=1" }), BAD_CLAIMS],
      ['an unpaired surrogate', () => ({ note: '\u{D800}' }), BAD_CLAIMS],
      ['a sid that is no id', () => ({ sid: 'current' }), BAD_CLAIMS],
      ['an exp that is a text', () => ({ exp: String(token.claims['exp']) }), /exp/],
      ['an exp that is none', () => ({ exp: null }), /exp/],
      ['an exp with a fraction', () => ({ exp: token.claims['exp'] + 0.5 }), BAD_CLAIMS],
      ['an exp that is past', () => ({ iat: now() - 60, exp: now() }), /exp/],
      ['an iat that is a text', () => ({ iat: String(token.claims['iat']) }), /iat/],
      ['an iat to come', () => ({ iat: now() + 60, exp: now() + 120 }), /future/],
      ['too long a life', () => ({ iat: now(), exp: now() + 901 }), /too long/],
      ['an nbf to come', () => ({ nbf: now() + 60 }), /nbf/],
      ['a scope that is a list', () => ({ scope: ['probes:read'] }), BAD_CLAIMS],
    ])('%s', async (_what, changed, reason) => {
      await expectRefusal(`Bearer ${await withClaims(changed())}`, reason);
    });

    it('an exp beyond all numbers', async () => {
      const claims = JSON.stringify(token.claims).replace(/"exp":\d+/, '"exp":1e400');
      expect(claims).toContain('1e400');
      await expectRefusal(`Bearer ${await signed(header, claims, ours)}`, BAD_CLAIMS);
    });

    it('no claims at all', async () => {
      for (const claims of ['null', '[]', '{}', 'no JSON', '42', `\u{FEFF}${JSON.stringify(token.claims)}`])
        await expectRefusal(`Bearer ${await signed(header, claims, ours)}`, /./);
    });
  });

  /** Nobody but us can make such a token, and we do not. */
  describe('with our signature is believed by a plain route, and not by a live one, though it has', () => {
    const NOBODY = '01900000-0000-7000-8000-000000000000';
    let other: TokenClient;
    beforeAll(async () => {
      other = await jwtOf(await context.server.person());
    });

    it.each<[string, () => Json, string]>([
      ['an unknown sid', () => ({ sid: NOBODY }), 'sign-in unknown'],
      ['a sub that is nobody', () => ({ sub: NOBODY }), 'sub is not the user of the sign-in'],
      [
        'the sub of somebody else',
        () => ({ sub: other.claims['sub'] }),
        'sub is not the user of the sign-in',
      ],
      [
        'the sid of somebody else',
        () => ({ sid: other.claims['sid'] }),
        'sub is not the user of the sign-in',
      ],
      ['a sign-in before the last proof', () => ({ auth_time: token.claims['auth_time'] - 1 }), BEFORE_PROOF],
      ['a sign-in to come', () => ({ auth_time: token.claims['auth_time'] + 1 }), BEFORE_PROOF],
    ])('%s', async (_what, changed, reason) => {
      const forged = `Bearer ${await withClaims(changed())}`;
      expect((await send(forged)).status).toBe(200);
      await expectRefusal(forged, reason, LIVE);
    });
  });

  // room: oauth
  describe('of a machine is refused by its claims, though our key signed it:', () => {
    let machine: MachineClient;
    beforeAll(async () => {
      machine = await machineOf(ada, ['probes:read']);
    });
    const withMachineClaims = (changed: Json) => signed(header, { ...machine.claims, ...changed }, ours);

    it.each<[string, () => Json, string | RegExp]>([
      ['a sid', () => ({ sid: token.claims['sid'] }), BAD_CLAIMS],
      ['an auth_time', () => ({ auth_time: token.claims['auth_time'] }), BAD_CLAIMS],
      ['an amr', () => ({ amr: ['pwd'] }), BAD_CLAIMS],
      ['no key_revision', () => ({ key_revision: undefined }), BAD_CLAIMS],
      ['a key_revision that is a text', () => ({ key_revision: '0' }), BAD_CLAIMS],
      ['a client that is no key', () => ({ client_id: 'first-party' }), BAD_CLAIMS],
      ['a person and a machine', () => ({ ...token.claims, key_revision: 0 }), BAD_CLAIMS],
      ['another aud', () => ({ aud: 'https://evil.example.com' }), /aud/],
      ['too long a life', () => ({ iat: now(), exp: now() + 901 }), /too long/],
    ])('%s', async (_what, changed, reason) => {
      expect((await send(`Bearer ${await withMachineClaims({})}`)).status).toBe(200);
      await expectRefusal(`Bearer ${await withMachineClaims(changed())}`, reason);
    });
  });
  // /room

  it('holds no scope that its user does not have, whatever it says', async () => {
    const ada = await jwtOf(await context.server.person());
    const root = await jwtOf(await context.server.administrator());
    const scope = 'probes:read admin:users probes:everything';
    for (const [{ claims }, scopes] of [
      [ada, ['probes:read']],
      [root, ['admin:users', 'probes:read']],
    ] as const) {
      const forged = await signed(header, { ...claims, scope }, ours);
      expect(await send(`Bearer ${forged}`)).toMatchObject({ status: 200, body: { scopes } });
    }
  });

  describe('is refused in any other spelling:', () => {
    const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    /** The same bytes with other stray bits in the last character. */
    const stray = (text: string) => text.slice(0, -1) + ALPHABET[ALPHABET.indexOf(text.at(-1)!) ^ 1];

    it.each<[string, (parts: [string, string, string]) => string]>([
      ['padding', ([h, p, s]) => `${h}.${p}.${s}==`],
      ['stray bits', ([h, p, s]) => `${h}.${p}.${stray(s)}`],
      ['the other alphabet', ([h, p, s]) => `${h}.${p}.+${s.slice(1)}`],
      ['a fourth segment', ([h, p, s]) => `${h}.${p}.${s}.${s}`],
      ['five segments, as a JWE has', ([h, p, s]) => `${h}.${p}.${s}.${s}.${s}`],
      ['an empty segment', ([h, , s]) => `${h}..${s}`],
      ['a dot in front', ([h, p, s]) => `.${h}.${p}.${s}`],
      ['a dot behind', ([h, p, s]) => `${h}.${p}.${s}.`],
      ['one segment', ([h]) => h],
      ['quotes', ([h, p, s]) => `"${h}.${p}.${s}"`],
      ['percent', ([h, p, s]) => `${h}%2E${p}%2E${s}`],
    ])('%s', async (_what, spell) => {
      await expectRefusal(`Bearer ${spell(segments())}`, BAD_FORM);
    });

    it.each<[string, (text: string) => string]>([
      ['a tab', (text) => `Bearer \t${text}`],
      ['a no-break space (byte 0xA0)', (text) => `Bearer \u00a0${text}`],
      ['a no-break space behind', (text) => `Bearer ${text}\u00a0`],
      ['a space within', (text) => `Bearer ${text.slice(0, 40)} ${text.slice(40)}`],
      ['something behind', (text) => `Bearer ${text} junk`],
      ['a parameter behind', (text) => `Bearer ${text},realm="api"`],
      ['Bearer twice', (text) => `Bearer Bearer ${text}`],
      ['two tokens', (text) => `Bearer ${text}, Bearer ${text}`],
      ['nothing', () => 'Bearer'],
    ])('%s', async (_what, spell) => {
      await expectRefusal(spell(token.accessToken), 'not one bearer token');
    });

    it('a text of more than 8 KiB', async () => {
      await expectRefusal(`Bearer ${await withClaims({ padding: 'x'.repeat(8192) })}`, 'token too long');
    });

    it('headers of more than 16 KiB, which are not read', async () => {
      const answer = await send(`Bearer ${'x'.repeat(20_000)}`);
      expect(answer).toMatchObject({ status: 431, problem: 'headers-too-large' });
    });
  });

  it.each(['AT+JWT', 'application/at+jwt', 'Application/At+Jwt'])('is taken with the typ %s', async (typ) => {
    expect((await send(`Bearer ${await withHeader({ typ })}`)).status).toBe(200);
  });

  it.each(['bearer', 'BEARER'])('is taken with the scheme as %s', async (scheme) => {
    expect((await send(`${scheme} ${token.accessToken}`)).status).toBe(200);
  });

  // RFC 6750 2.1: 1*SP.
  it('is taken after any number of spaces', async () => {
    for (const spaces of ['  ', '     ']) {
      expect((await send(`Bearer${spaces}${token.accessToken}`)).status).toBe(200);
    }
  });

  it('is not taken twice in one request, nor looked for elsewhere', async () => {
    const bearer = `Bearer ${token.accessToken}`;
    const status = await new Promise((resolve, reject) => {
      const headers = { Authorization: [bearer, bearer] } as unknown as Record<string, string[]>;
      const call = request(`${context.server.url}/v1/probes/principal`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.on('error', reject).end();
    });
    expect(status).toBe(400);
    const { anonymous } = context.server;
    const elsewhere = anonymous.with({
      'X-Access-Token': token.accessToken,
      Cookie: `token=${token.accessToken}`,
    });
    expect(await elsewhere.get('/v1/probes/principal')).toMatchObject({
      status: 401,
      problem: 'credential-required',
    });
    expect(await elsewhere.post('/v1/tokens/refresh', { access_token: token.accessToken })).toMatchObject({
      status: 400,
    });
    expect((await anonymous.get(`/v1/probes/principal?access_token=${token.accessToken}`)).problem).toBe(
      'credential-in-url',
    );
  });

  it('is refused in place of another credential, and another in its place', async () => {
    const others = [
      token.refreshToken,
      'null',
      'undefined',
      // room: own-api-keys
      (await apiKeyOf(ada, ['probes:read'])).key,
      // /room
    ];
    // room: sessions
    const { cookie, csrfToken } = await sessionOf(ada);
    others.push(cookie, csrfToken);
    // /room
    for (const other of others) await expectRefusal(`Bearer ${other}`, BAD_FORM);
    for (const headers of [
      // room: sessions
      { Cookie: `__Host-session=${token.accessToken}` },
      // /room
      // room: api-keys
      { 'X-API-Key': token.accessToken },
      { Authorization: `ApiKey ${token.accessToken}` },
      // /room
    ] as Record<string, string>[])
      expect(await context.server.anonymous.with(headers).get('/v1/probes/principal')).toMatchObject(INVALID);
  });

  // room: sessions
  it('does not fall back to the cookie beside it', async () => {
    const { cookie } = await sessionOf(ada);
    const both = context.server.anonymous.with({ Cookie: `__Host-session=${cookie}` });
    expect((await both.get('/v1/probes/principal')).status).toBe(200);
    const forged = await withHeader({}, theirs);
    expect(await both.with({ Authorization: `Bearer ${forged}` }).get('/v1/probes/principal')).toMatchObject(
      INVALID,
    );
  });
  // /room
});
