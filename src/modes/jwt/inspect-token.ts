import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ownAudience } from '../../auth/audiences.js';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { defineCredentialKind, type Fact, type Inspection } from '../../auth/credential-kinds.js';
import { UsageError } from '../../platform/commands/arguments.js';
import { decodeJson } from '../../platform/crypto/strict-decoding.js';
import { foreignClaim, KNOWN_CLAIMS, readClaims, readToken, wrongTime } from './access-token.js';
import { verifiedPayload } from './access-token.verifier.js';
import { publicKeyOf } from './signing-keys/signing-key.pair.js';

/** Claims that are NumericDate (RFC 7519 section 2). */
const TIMES = new Set(['iat', 'exp', 'nbf', 'auth_time']);

const Jwks = z.object({
  keys: z.array(
    z.looseObject({
      kid: z.string(),
      alg: z.enum(['ES256', 'EdDSA']),
      kty: z.string(),
      crv: z.string(),
      x: z.string(),
      y: z.string().optional(),
    }),
  ),
});

const reasonOf = (check: () => unknown): string | undefined => {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof InvalidCredentialError) return error.reason;
    throw error;
  }
};

/** A segment as it is, also of a token that the server refuses. */
function lenient(segment: string | undefined): Record<string, unknown> {
  const value = decodeJson(Buffer.from(segment ?? '', 'base64url'));
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** All faults that need neither the keys nor the database. The server stops at the first one. */
function faultsOf(text: string, { config, now }: Inspection): string[] {
  const payload = Buffer.from(text.split('.')[1] ?? '', 'base64url');
  const faults = [reasonOf(() => readToken(text)), reasonOf(() => readClaims(payload))];
  if (faults[1] === undefined) {
    const claims = readClaims(payload);
    faults.push(wrongTime(claims, now), foreignClaim(claims, config));
    if (!faults.at(-1) && claims.aud !== ownAudience(config)) faults.push('token for another audience');
  }
  return faults.filter((fault) => fault !== undefined);
}

function* factsOf(text: string, now: Date): Generator<Fact> {
  const [header, payload] = text.split('.');
  for (const [name, value] of Object.entries(lenient(header))) yield [`header ${name}`, shown(value)];
  if (!('kid' in lenient(header))) yield ['header kid', 'is missing'];
  const claims = lenient(payload);
  for (const [name, value] of Object.entries(claims)) {
    const ignored = KNOWN_CLAIMS.includes(name) ? '' : ' (unknown: the server ignores it)';
    yield [`claim ${name}`, (TIMES.has(name) ? dated(value, now) : shown(value)) + ignored];
  }
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function dated(value: unknown, now: Date): string {
  const date = new Date(typeof value === 'number' ? value * 1000 : Number.NaN);
  if (Number.isNaN(date.getTime())) return `${shown(value)} (no date)`;
  const seconds = Math.round((date.getTime() - now.getTime()) / 1000);
  return `${date.toISOString()} (${seconds < 0 ? `${-seconds} s ago` : `in ${seconds} s`})`;
}

const Jwk = Jwks.shape.keys.element;

/** @throws UsageError if the file has no keys of this server. Its message does not repeat the value. */
async function signatureFault(text: string, file: string): Promise<string | undefined> {
  const content = await readFile(file).catch(() => undefined);
  const { data } = Jwks.safeParse(content && decodeJson(content));
  if (!data) throw new UsageError('--jwks: must be a file with the answer of /.well-known/jwks.json');
  return reasonOf(() => {
    const token = readToken(text);
    const jwk = data.keys.find(({ kid }) => kid === token.header.kid);
    if (!jwk) throw new InvalidCredentialError('unknown kid: the file has no such key');
    verifiedPayload(token, keyOf(jwk));
  });
}

function keyOf({ alg: algorithm, kty, crv, x, y }: z.infer<typeof Jwk>) {
  try {
    return { algorithm, publicKey: publicKeyOf({ publicJwk: { kty, crv, x, ...(y && { y }) }, algorithm }) };
  } catch {
    throw new UsageError('--jwks: has a key with the kid of the token that is not valid for its alg');
  }
}

defineCredentialKind({
  name: 'JWT access token',
  places: [{ type: 'scheme', name: 'Bearer' }],
  options: {
    jwks: { example: 'jwks.json', meaning: 'a file with the public keys, to check the signature of a JWT' },
  },
  recognises: (text) => text.startsWith('eyJ') || /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text),
  examine: async (text, inspection) => {
    const faults = faultsOf(text, inspection);
    const facts = [...factsOf(text, inspection.now)];
    const file = inspection.given['jwks'];
    if (file !== undefined && reasonOf(() => readToken(text)) === undefined) {
      const fault = await signatureFault(text, file);
      if (fault) faults.push(fault);
      else facts.push(['signature', 'right, by a key of the file']);
    } else facts.push(['signature', 'not checked']);
    return { faults, facts, unchecked: 'whether the token is revoked, and the sign-in or key behind it' };
  },
});
