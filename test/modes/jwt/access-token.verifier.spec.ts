import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidCredentialError } from '../../../src/auth/auth.errors.js';
import { Clock } from '../../../src/platform/clock/clock.js';
import { readConfig } from '../../../src/platform/config/config.js';
import { AccessTokenVerifier } from '../../../src/modes/jwt/access-token.verifier.js';
import { makePair, publicKeyOf } from '../../../src/modes/jwt/signing-keys/signing-key.pair.js';
import type { SigningAlgorithm } from '../../../src/modes/jwt/signing-keys/signing-key.entity.js';
import type {
  SigningKeysService,
  VerificationKey,
} from '../../../src/modes/jwt/signing-keys/signing-keys.service.js';

const ISSUER = 'https://api.example.com';
const REPORTS = 'https://reports.example.com';
const NOW = Date.UTC(2030, 0, 1);
const SECONDS = NOW / 1000;
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

class SetClock extends Clock {
  time = NOW;
  override now(): Date {
    return new Date(this.time);
  }
}

interface Pair {
  algorithm: SigningAlgorithm;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

const pairs: Record<string, Pair> = {
  ed: { algorithm: 'EdDSA', ...generateKeyPairSync('ed25519') },
  es: { algorithm: 'ES256', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) },
};
const published = new Map<string, VerificationKey>();
const clock = new SetClock();
let verifier: AccessTokenVerifier;

const header = { alg: 'EdDSA', kid: 'ed', typ: 'at+jwt' };
const claims = {
  iss: ISSUER,
  aud: ISSUER,
  sub: '01976000-0000-7000-8000-000000000001',
  jti: '01976000-0000-7000-8000-000000000002',
  sid: '01976000-0000-7000-8000-000000000003',
  client_id: 'first-party',
  scope: 'probes:read',
  amr: ['pwd'],
  acr: 'aal1',
  auth_time: SECONDS - 60,
  iat: SECONDS,
  exp: SECONDS + 600,
};

/** What of them is another for the token of a key. */
const MACHINE = {
  client_id: '01976000-0000-7000-8000-000000000004',
  key_revision: 1,
  sid: undefined,
  amr: undefined,
  acr: undefined,
  auth_time: undefined,
};

/** A text is taken as it is, so that it need not be JSON; bytes need not even be UTF-8. */
const encode = (part: object | string | Buffer) =>
  Buffer.isBuffer(part)
    ? part.toString('base64url')
    : Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

/** Signs whatever it is given, also what no library would. */
function signed(
  claims: object | string | Buffer,
  header: object | string | Buffer,
  { algorithm, privateKey }: Pair = pairs.ed!,
): string {
  const input = `${encode(header)}.${encode(claims)}`;
  const signature =
    algorithm === 'EdDSA'
      ? sign(null, Buffer.from(input), privateKey)
      : sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

const withClaims = (changed: object) => signed({ ...claims, ...changed }, header);
const withHeader = (changed: object) => signed(claims, { ...header, ...changed });
const es256 = () => signed(claims, { ...header, alg: 'ES256', kid: 'es' }, pairs.es);

const refusal = async (token: string): Promise<string> => {
  const error: unknown = await verifier.verify(token).catch((error: unknown) => error);
  if (!(error instanceof InvalidCredentialError)) throw new Error('not refused', { cause: error });
  return error.reason!;
};

beforeAll(() => {
  for (const [kid, { algorithm, publicKey }] of Object.entries(pairs)) {
    published.set(kid, { kid, algorithm, publicKey });
  }
});

beforeEach(() => {
  clock.time = NOW;
  const keys = {
    known: () => undefined,
    find: async (kid: string) => published.get(kid),
  } as unknown as SigningKeysService;
  verifier = new AccessTokenVerifier(keys, clock, readConfig({ ISSUER, AUDIENCES: `${ISSUER} ${REPORTS}` }));
});

describe('a token of ours', () => {
  it('is accepted with EdDSA', async () => {
    expect(await verifier.verify(signed(claims, header))).toEqual(claims);
  });

  it('[V11.6.1] is accepted with ES256', async () => {
    expect(await verifier.verify(es256())).toEqual(claims);
  });

  it('is accepted for each of the audiences', async () => {
    for (const aud of [ISSUER, REPORTS])
      expect(await verifier.verify(withClaims({ aud }))).toMatchObject({ aud });
  });

  it('keeps its ids in the twin that every ES256 signature has, so that a revocation covers both', async () => {
    const [head, payload, signature] = es256().split('.') as [string, string, string];
    const bytes = Buffer.from(signature, 'base64url');
    const s = P256_ORDER - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
    const twin = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
    const { jti, sid } = await verifier.verify(`${head}.${payload}.${twin.toString('base64url')}`);
    expect({ jti, sid }).toEqual({ jti: claims.jti, sid: claims.sid });
  });
});

describe('the compact form', () => {
  it.each([
    ['padding', ([h, p, s]: string[]) => `${h}.${p}.${s}==`],
    ['whitespace within', ([h, p, s]: string[]) => `${h}.${p!.slice(0, 9)}\n${p!.slice(9)}.${s}`],
    ['whitespace behind', ([h, p, s]: string[]) => `${h}.${p}.${s} `],
    ['the alphabet of base64', ([h, p, s]: string[]) => `${h}.${p}.+${s!.slice(1)}`],
    ['a fourth segment', ([h, p, s]: string[]) => `${h}.${p}.${s}.${s}`],
    ['no signature', ([h, p]: string[]) => `${h}.${p}.`],
    ['one segment', ([h]: string[]) => h!],
    ['nothing', () => ''],
  ])('is refused with %s', async (_name, spell) => {
    expect(await refusal(spell(signed(claims, header).split('.')))).toBe(
      'not three canonical base64url segments',
    );
  });

  it('is refused where the last character has stray bits', async () => {
    const token = signed(claims, header);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const stray = token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1)!) + 1];
    expect(Buffer.from(stray.split('.')[2]!, 'base64url')).toEqual(
      Buffer.from(token.split('.')[2]!, 'base64url'),
    );
    expect(await refusal(stray)).toBe('not three canonical base64url segments');
  });

  it('is refused over 8 KiB, before anything is decoded', async () => {
    expect(await refusal(withClaims({ scope: 'x'.repeat(8192) }))).toBe('token too long');
  });
});

describe('the header', () => {
  it.each([
    ['alg none', { alg: 'none' }, 'header: alg invalid_value'],
    ['another alg than the key’s', { alg: 'ES256' }, 'algorithm of another key'],
    ['typ JWT', { typ: 'JWT' }, 'header: typ invalid_format'],
    ['typ of another media type', { typ: 'text/at+jwt' }, 'header: typ invalid_format'],
    ['typ with a parameter', { typ: 'at+jwt; v=1' }, 'header: typ invalid_format'],
    ['no typ', { typ: undefined }, 'header: typ invalid_type'],
    ['no kid', { kid: undefined }, 'header: kid invalid_type'],
    ['a kid that is no string', { kid: ['ed'] }, 'header: kid invalid_type'],
    ['a foreign kid', { kid: 'foreign' }, 'unknown kid'],
    ['crit', { crit: ['b64'], b64: true }, 'header: unrecognized_keys'],
    ['zip', { zip: 'DEF' }, 'header: unrecognized_keys'],
    ['jku', { jku: 'https://evil.example.com/jwks.json' }, 'header: unrecognized_keys'],
    ['x5u', { x5u: 'https://evil.example.com/cert.pem' }, 'header: unrecognized_keys'],
    ['jwk', { jwk: pairs.ed!.publicKey.export({ format: 'jwk' }) }, 'header: unrecognized_keys'],
  ])('is refused with %s', async (_name, changed, reason) => {
    expect(await refusal(withHeader(changed))).toBe(reason);
  });

  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+Jwt'])(
    'is accepted with typ %s',
    async (typ) => {
      expect(await verifier.verify(withHeader({ typ }))).toEqual(claims);
    },
  );

  it.each(['no JSON', '[]', 'null'])('is refused as %s', async (text) => {
    expect(await refusal(signed(claims, text))).toMatch(/^header: /);
  });

  it('[V9.1.2] is refused with HS256 and the public key as the secret', async () => {
    const input = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
    const pem = pairs.ed!.publicKey.export({ format: 'pem', type: 'spki' });
    const mac = createHmac('sha256', pem).update(input).digest('base64url');
    expect(await refusal(`${input}.${mac}`)).toBe('header: alg invalid_value');
  });
});

describe.each<[string, (part: object) => object | string | Buffer, boolean]>([
  ['a byte order mark in front', (part) => `\u{FEFF}${JSON.stringify(part)}`, false],
  ['a byte order mark behind', (part) => `${JSON.stringify(part)}\u{FEFF}`, false],
  ['an unpaired surrogate in a value', (part) => ({ ...part, note: '\u{D800}' }), false],
  ['an unpaired surrogate in a name', (part) => ({ ...part, ['\u{DC00}']: 1 }), false],
  ['an unpaired surrogate deep inside', (part) => ({ ...part, note: [{ note: 'a\u{DFFF}b' }] }), false],
  [
    'a byte that is not UTF-8',
    (part) =>
      Buffer.concat([Buffer.from(JSON.stringify(part).slice(0, -1)), Buffer.from(',"n":"\xff"}', 'latin1')]),
    false,
  ],
  ['a whole character of four bytes', (part) => ({ ...part, note: '\u{1F600}' }), true],
])('a token with %s', (_name, spell, allowed) => {
  it('is refused, in the header', async () => {
    expect(await refusal(signed(claims, spell(header)))).toMatch(/^header: /);
  });

  it(allowed ? 'is accepted in the payload' : 'is refused, in the payload', async () => {
    const token = signed(spell(claims), header);
    if (allowed) expect(await verifier.verify(token)).toEqual(claims);
    else expect(await refusal(token)).toMatch(/^claims: /);
  });
});

describe('the signature', () => {
  it('is refused from another key', async () => {
    const other: Pair = { algorithm: 'EdDSA', ...generateKeyPairSync('ed25519') };
    expect(await refusal(signed(claims, header, other))).toBe('signature verification failed');
  });

  it('[V9.1.1] is refused over other claims', async () => {
    const [head, , signature] = signed(claims, header).split('.');
    expect(await refusal(`${head}.${encode({ ...claims, scope: 'probes:write' })}.${signature}`)).toBe(
      'signature verification failed',
    );
  });
});

describe('the claims', () => {
  it.each([
    ['another issuer', { iss: 'https://evil.example.com' }, 'unexpected iss'],
    ['[RFC 9700 4.9] another audience', { aud: 'https://evil.example.com' }, 'unexpected aud'],
    ['our audience in another case', { aud: ISSUER.toUpperCase() }, 'unexpected aud'],
    [
      'our audience besides others',
      { aud: [ISSUER, 'https://evil.example.com'] },
      'claims: aud invalid_type',
    ],
    ['two of our audiences', { aud: [ISSUER, REPORTS] }, 'claims: aud invalid_type'],
    ['no audience', { aud: undefined }, 'claims: aud invalid_type'],
    ['a sub that is no string', { sub: 7 }, 'claims: sub invalid_type'],
    ['a sub that is no id', { sub: "' OR 1=1" }, 'claims: sub invalid_format'],
    ['a jti that is no string', { jti: 7 }, 'claims: jti invalid_type'],
    ['a jti that no text column can hold', { jti: '\0' }, 'claims: jti invalid_format'],
    ['no jti', { jti: undefined }, 'claims: jti invalid_type'],
    ['no sid', { sid: undefined }, 'claims: sid invalid_type'],
    ['a sid that is no id', { sid: "' OR 1=1" }, 'claims: sid invalid_format'],
    ['a client_id that is no string', { client_id: null }, 'claims: client_id invalid_value'],
    ['a client_id that no client has', { client_id: 'second-party' }, 'claims: client_id invalid_value'],
    ['no client_id', { client_id: undefined }, 'claims: client_id invalid_value'],
    ['a key that is no id', { ...MACHINE, client_id: "' OR 1=1" }, 'claims: client_id invalid_format'],
    ['a key and the sign-in of a person', { ...MACHINE, sid: claims.sid }, 'claims: sid invalid_type'],
    ['a revision that is no number', { ...MACHINE, key_revision: '1' }, 'claims: key_revision invalid_type'],
    ['a scope that is no text', { scope: ['probes:read'] }, 'claims: scope invalid_type'],
    ['amr that is no list', { amr: 'pwd' }, 'claims: amr invalid_type'],
    ['amr of other things', { amr: [1] }, 'claims: amr.0 invalid_type'],
    ['an auth_time that is no number', { auth_time: '0' }, 'claims: auth_time invalid_type'],
    ['no auth_time', { auth_time: undefined }, 'claims: auth_time invalid_type'],
    ['no acr', { acr: undefined }, 'claims: acr invalid_value'],
    ['an acr that nobody issues', { acr: 'aal3' }, 'claims: acr invalid_value'],
    ['no exp', { exp: undefined }, 'claims: exp invalid_type'],
    ['a fractional exp', { exp: SECONDS + 0.5 }, 'claims: exp invalid_type'],
    ['a fractional iat', { iat: SECONDS - 0.5 }, 'claims: iat invalid_type'],
    ['no iat', { iat: undefined }, 'claims: iat invalid_type'],
  ])('are refused with %s', async (_name, changed, reason) => {
    expect(await refusal(withClaims(changed))).toBe(reason);
  });

  it('are refused with an exp beyond all numbers', async () => {
    const endless = JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e400');
    expect(await refusal(signed(endless, header))).toBe('claims: exp invalid_type');
  });

  it('never show up in the reason', async () => {
    expect(await refusal(withClaims({ sub: { secret: 'rosebud' } }))).not.toContain('rosebud');
  });
});

describe('the times', () => {
  it('[V9.2.1] end a token at exp, to the second', async () => {
    clock.time = NOW + 599_999;
    await verifier.verify(withClaims({}));
    clock.time = NOW + 600_000;
    // Another, so that it is not remembered.
    expect(await refusal(withClaims({ jti: claims.sid }))).toMatch(/exp/);
  });

  it('end a token that was verified before', async () => {
    const token = withClaims({});
    await verifier.verify(token);
    clock.time = NOW + 600_000;
    expect(await refusal(token)).toBe('token expired');
  });

  it('allow for clocks that differ by five seconds, and no more', async () => {
    await verifier.verify(withClaims({ iat: SECONDS + 5 }));
    expect(await refusal(withClaims({ iat: SECONDS + 6 }))).toBe('token issued in the future');
  });

  it('allow for a life of fifteen minutes, and no more', async () => {
    await verifier.verify(withClaims({ exp: SECONDS + 900 }));
    expect(await refusal(withClaims({ exp: SECONDS + 901 }))).toBe('token lives too long');
  });

  it('[V9.2.1] begin at nbf, where it is there', async () => {
    await verifier.verify(withClaims({ nbf: SECONDS }));
    expect(await refusal(withClaims({ nbf: SECONDS + 1 }))).toMatch(/nbf/);
  });
});

describe('a token that was verified before', () => {
  it('is refused as soon as its key is withdrawn', async () => {
    const token = es256();
    await verifier.verify(token);
    const key = published.get('es')!;
    published.delete('es');
    try {
      expect(await refusal(token)).toBe('unknown kid');
    } finally {
      published.set('es', key);
    }
  });

  it('needs no promise while its key is trusted, and its times are checked', async () => {
    let trusted = true;
    const known = (kid: string) => (trusted ? published.get(kid) : undefined);
    const keys = { known } as unknown as SigningKeysService;
    const remembering = new AccessTokenVerifier(keys, clock, readConfig({ ISSUER }));
    const token = withClaims({});
    expect(remembering.remembered(token)).toBeUndefined();
    const verified = await remembering.verify(token);
    expect(remembering.remembered(token)).toBe(verified);
    trusted = false;
    expect(remembering.remembered(token)).toBeUndefined();
    trusted = true;
    clock.time = NOW + 600_000;
    expect(() => remembering.remembered(token)).toThrow(expect.objectContaining({ reason: 'token expired' }));
  });

  it('does not vouch for another with the same claims', async () => {
    const token = signed(claims, header);
    await verifier.verify(token);
    const forged = `${token.slice(0, -10)}AAAAAAAAA${token.at(-1)}`;
    expect(await refusal(forged)).toBe('signature verification failed');
  });
});

const verifyWith = (find: SigningKeysService['find']) =>
  new AccessTokenVerifier(
    { known: () => undefined, find } as unknown as SigningKeysService,
    clock,
    readConfig({ ISSUER }),
  ).verify(withClaims({}));

describe('what is no fault of the token', () => {
  it('is passed on when the keys cannot be read', async () => {
    await expect(verifyWith(() => Promise.reject(new Error('no database')))).rejects.toThrow('no database');
  });

  it('is passed on when a key is for another algorithm', async () => {
    const { algorithm, publicJwk } = await makePair('ES256', 'a secret');
    const broken = { kid: 'ed', algorithm: 'EdDSA', publicJwk, privateJwkSealed: Buffer.alloc(0) } as const;
    expect(publicKeyOf({ ...broken, algorithm }).type).toBe('public');
    expect(() => publicKeyOf(broken)).toThrow('not a key for EdDSA');
  });
});
