import { z } from 'zod';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import { decodeJson, decodeStrictly } from '../../platform/crypto/strict-decoding.js';
import { MAX_LIFETIME_SECONDS } from './signing-keys/signing-keys.service.js';
import { FIRST_PARTY } from '../tokens/token-grant.entity.js';

/** RFC 9068. An id token or any other JWT of ours is no access token. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';
/** A media type: without regard to case, and `application/` may stand before it (RFC 7515 4.1.9). */
const TYPE = /^(application\/)?at\+jwt$/i;
const MAX_LENGTH = 8192;
const IAT_TOLERANCE_SECONDS = 5;

/** Exactly what we issue: `crit`, `b64`, `zip`, `jwk`, `jku`, `x5u` and whatever comes next are refused unread. */
const Header = z.strictObject({
  alg: z.enum(['EdDSA', 'ES256']),
  kid: z.string(),
  typ: z.string().regex(TYPE),
});
export type AccessTokenHeader = z.infer<typeof Header>;

/** Ids are checked for their shape before they reach a query. An integer here is a safe one, so `1e400` is none. */
const Common = z.object({
  iss: z.string(),
  /** One, as we issue it: a token that is also for others is not only ours to judge. */
  aud: z.string(),
  sub: z.uuid(),
  jti: z.uuid(),
  scope: z.string(),
  iat: z.int(),
  exp: z.int(),
  nbf: z.int().optional(),
});

/** Of a token that a sign-in made. */
const PersonClaims = Common.extend({
  client_id: z.literal(FIRST_PARTY),
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

export const isMachine = (claims: AccessTokenClaims): claims is MachineClaims => claims.sid === undefined;

/** The header of a text that has the one canonical form of a JWT (RFC 7515 3.1), before anything else touches it. */
export function readHeader(token: string): AccessTokenHeader {
  if (token.length > MAX_LENGTH) throw new InvalidCredentialError('token too long');
  const [header, ...others] = token.split('.').map((segment) => decodeStrictly(segment, 'base64url'));
  if (others.length !== 2 || ![header, ...others].every((bytes) => bytes && bytes.length > 0))
    throw new InvalidCredentialError('not three canonical base64url segments');
  return conform(Header, 'header', decodeJson(header!));
}

export function readClaims(payload: Uint8Array): AccessTokenClaims {
  const claims = decodeJson(payload);
  const ofMachine = typeof claims === 'object' && claims !== null && 'key_revision' in claims;
  return ofMachine ? conform(MachineClaims, 'claims', claims) : conform(PersonClaims, 'claims', claims);
}

/** What is wrong with a token's times at `now`, also with one that was verified before; undefined if nothing is. */
export function wrongTime({ iat, exp, nbf }: AccessTokenClaims, now: Date): string | undefined {
  const seconds = now.getTime() / 1000;
  if (exp <= seconds) return 'token expired';
  if (iat > seconds + IAT_TOLERANCE_SECONDS) return 'token issued in the future';
  if (nbf !== undefined && nbf > seconds) return 'token not valid before its nbf';
  return exp - iat > MAX_LIFETIME_SECONDS ? 'token lives too long' : undefined;
}

function conform<T>(schema: z.ZodType<T>, part: string, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  // Where and what, never the value: it is the client's.
  const faults = parsed.error.issues.map(({ path, code }) => `${path.join('.')} ${code}`.trim());
  throw new InvalidCredentialError(`${part}: ${faults.join(', ')}`);
}
