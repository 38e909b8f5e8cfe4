import { z } from 'zod';
import { InvalidCredentialError } from '../auth/auth.errors.js';
import { MAX_LIFETIME_SECONDS } from '../signing-keys/signing-keys.service.js';

/** RFC 9068. An id token or any other JWT of ours is no access token. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';
const MAX_LENGTH = 8192;
const IAT_TOLERANCE_SECONDS = 5;

/** Exactly what we issue: `crit`, `b64`, `zip`, `jwk`, `jku`, `x5u` and whatever comes next are refused unread. */
const Header = z.strictObject({
  alg: z.enum(['EdDSA', 'ES256']),
  kid: z.string(),
  typ: z.literal(ACCESS_TOKEN_TYPE),
});
export type AccessTokenHeader = z.infer<typeof Header>;

/** jose checks that some claims are there, not what they are. An integer here is a safe one, so `1e400` is none. */
const Common = z.object({
  iss: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  sub: z.string(),
  jti: z.string(),
  client_id: z.string(),
  scope: z.string(),
  iat: z.int(),
  exp: z.int(),
});

/** Of a token that a sign-in made. */
const PersonClaims = Common.extend({
  sid: z.uuid(),
  amr: z.array(z.string()),
  auth_time: z.int(),
});
export type PersonClaims = Readonly<z.infer<typeof PersonClaims>>;

/** Of a token exchanged for a key: nothing of a person but whose key it is. */
const MachineClaims = Common.extend({
  /** The key's id. */
  client_id: z.uuid(),
  /** The key's, as it was: narrowing raises it. */
  key_revision: z.int(),
  sid: z.never().optional(),
  amr: z.never().optional(),
  auth_time: z.never().optional(),
});
export type MachineClaims = Readonly<z.infer<typeof MachineClaims>>;

export type AccessTokenClaims = PersonClaims | MachineClaims;

/** The header of a text that has the one canonical form of a JWT (RFC 7515 3.1), before anything else touches it. */
export function readHeader(token: string): AccessTokenHeader {
  if (token.length > MAX_LENGTH) throw new InvalidCredentialError('token too long');
  const segments = token.split('.');
  if (segments.length !== 3 || !segments.every(isCanonical))
    throw new InvalidCredentialError('not three canonical base64url segments');
  return conform(Header, 'header', parseJson(Buffer.from(segments[0]!, 'base64url').toString()));
}

export function readClaims(payload: unknown): AccessTokenClaims {
  const ofMachine = typeof payload === 'object' && payload !== null && 'key_revision' in payload;
  return ofMachine ? conform(MachineClaims, 'claims', payload) : conform(PersonClaims, 'claims', payload);
}

/** What is wrong with a token's times at `now`, also with one that was verified before; undefined if nothing is. */
export function wrongTime({ iat, exp }: AccessTokenClaims, now: Date): string | undefined {
  const seconds = now.getTime() / 1000;
  if (exp <= seconds) return 'token expired';
  if (iat > seconds + IAT_TOLERANCE_SECONDS) return 'token issued in the future';
  return exp - iat > MAX_LIFETIME_SECONDS ? 'token lives too long' : undefined;
}

/** Refuses padding, whitespace, other alphabets, the empty text and a last character with stray bits, all at once. */
function isCanonical(segment: string): boolean {
  return segment !== '' && Buffer.from(segment, 'base64url').toString('base64url') === segment;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidCredentialError('header: no JSON');
  }
}

function conform<T>(schema: z.ZodType<T>, part: string, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  // Where and what, never the value: it is the client's.
  const faults = parsed.error.issues.map(({ path, code }) => `${path.join('.')} ${code}`.trim());
  throw new InvalidCredentialError(`${part}: ${faults.join(', ')}`);
}
