/** The caller, with the data that this service needs. */
export interface Caller {
  readonly subject: string;
  readonly client: string;
  readonly scopes: ReadonlySet<string>;
}

/**
 * Returns the caller of a token.
 * @throws TokenRefused if the token is not valid for this service
 * @throws IssuerUnavailable if the token cannot be verified now
 */
export type Verify = (token: string) => Promise<Caller>;

export interface Issuer {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  /** The `aud` of tokens for this service. */
  readonly audience: string;
  /** The URL of its keys, or of its introspection endpoint. */
  readonly url: string;
}

export const TIMEOUT_MS = 2_000;

/** The message is for the log. The answer contains no reason. */
export class TokenRefused extends Error {}

/** Requests are refused until the issuer answers again. */
export class IssuerUnavailable extends Error {}

/** Checks that all claims exist with the right types. @throws TokenRefused */
export function callerOf({ sub, client_id: client, scope }: Record<string, unknown>): Caller {
  if (typeof sub !== 'string' || typeof client !== 'string' || typeof scope !== 'string')
    throw new TokenRefused('a claim is missing or has the wrong type');
  return { subject: sub, client, scopes: new Set(scope.split(' ')) };
}
