import { z } from 'zod';
import { audiencesOf } from '../../auth/audiences.js';
import { InvalidCredentialError } from '../../auth/auth.errors.js';
import type { Config } from '../../platform/config/config.js';
import { decodeJson, decodeStrictly } from '../../platform/crypto/strict-decoding.js';
import { MAX_LIFETIME_SECONDS } from './signing-keys/signing-keys.service.js';
import { FIRST_PARTY } from '../tokens/token-grant.entity.js';

/** RFC 9068. The type separates access tokens from other JWTs that the same keys sign. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';
/** A media type: case-insensitive, with an optional `application/` (RFC 7515 section 4.1.9). */
const TYPE = /^(application\/)?at\+jwt$/i;
const MAX_LENGTH = 8192;
const IAT_TOLERANCE_SECONDS = 5;

/** Only the parameters that this server issues. `crit`, `b64`, `zip`, `jwk`, `jku`, `x5u` and all others are refused. */
const Header = z.strictObject({
  alg: z.enum(['EdDSA', 'ES256']),
  kid: z.string(),
  typ: z.string().regex(TYPE),
});
export type AccessTokenHeader = z.infer<typeof Header>;

/** Ids must be UUIDs before they reach a query. Integers must be safe ones, so `1e400` is refused. */
const Common = z.object({
  iss: z.string(),
  /** Exactly one audience, because this server issues no token for several. */
  aud: z.string(),
  sub: z.uuid(),
  jti: z.uuid(),
  scope: z.string(),
  iat: z.int(),
  exp: z.int(),
  nbf: z.int().optional(),
});

/** The claims of a token of a sign-in. */
const PersonClaims = Common.extend({
  client_id: z.literal(FIRST_PARTY),
  sid: z.uuid(),
  amr: z.array(z.string()),
  acr: z.enum(['aal1', 'aal2']),
  auth_time: z.int(),
});
export type PersonClaims = Readonly<z.infer<typeof PersonClaims>>;

/** The claims of a token that was exchanged for an API key. */
const MachineClaims = Common.extend({
  /** The id of the key. */
  client_id: z.uuid(),
  /** The revision of the key when the token was issued. Narrowing the key raises its revision. */
  key_revision: z.int(),
  sid: z.never().optional(),
  amr: z.never().optional(),
  acr: z.never().optional(),
  auth_time: z.never().optional(),
});
export type MachineClaims = Readonly<z.infer<typeof MachineClaims>>;

/** The server ignores all other claims. */
export const KNOWN_CLAIMS: readonly string[] = Object.keys({ ...PersonClaims.shape, ...MachineClaims.shape });

export type AccessTokenClaims = PersonClaims | MachineClaims;

export const isMachine = (claims: AccessTokenClaims): claims is MachineClaims => claims.sid === undefined;

/** The parts of a token whose signature is not checked yet. */
export interface UnverifiedToken {
  readonly header: AccessTokenHeader;
  readonly payload: Buffer;
  /** What the signature covers (RFC 7515 section 5.1). */
  readonly signingInput: Buffer;
  readonly signature: Buffer;
}

/** Reads a token in canonical compact form (RFC 7515 section 3.1). Call it before all other checks. */
export function readToken(token: string): UnverifiedToken {
  if (token.length > MAX_LENGTH) throw new InvalidCredentialError('token too long');
  const segments = token.split('.');
  const [header, payload, signature] = segments.map((segment) => decodeStrictly(segment, 'base64url'));
  if (segments.length !== 3 || !header?.length || !payload?.length || !signature?.length)
    throw new InvalidCredentialError('not three canonical base64url segments');
  return {
    header: conform(Header, 'header', decodeJson(header)),
    payload,
    signingInput: Buffer.from(token.slice(0, token.lastIndexOf('.')), 'latin1'),
    signature,
  };
}

export function readClaims(payload: Uint8Array): AccessTokenClaims {
  const claims = decodeJson(payload);
  const ofMachine = typeof claims === 'object' && claims !== null && 'key_revision' in claims;
  return ofMachine ? conform(MachineClaims, 'claims', claims) : conform(PersonClaims, 'claims', claims);
}

/** Returns why the claims are not of this server, or undefined. */
export function foreignClaim(
  claims: Pick<AccessTokenClaims, 'iss' | 'aud'>,
  config: Config,
): string | undefined {
  if (claims.iss !== config.ISSUER) return 'unexpected iss';
  return audiencesOf(config).includes(claims.aud) ? undefined : 'unexpected aud';
}

/** Returns why the times of a token are wrong at `now`, or undefined. Cached tokens are checked too. */
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
  // The log gets the path and the code of a fault, never a value from the client.
  const faults = parsed.error.issues.map(({ path, code }) => `${path.join('.')} ${code}`.trim());
  throw new InvalidCredentialError(`${part}: ${faults.join(', ')}`);
}
