/** Who calls, as far as this service needs to know. */
export interface Caller {
  readonly subject: string;
  readonly client: string;
  readonly scopes: ReadonlySet<string>;
}

/**
 * Answers who a token stands for.
 * @throws TokenRefused if it is not good here
 * @throws IssuerUnavailable if that cannot be said now
 */
export type Verify = (token: string) => Promise<Caller>;

export interface Issuer {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  /** The `aud` of the tokens that are for this service, and for no other. */
  readonly audience: string;
  /** Where it is asked: for its keys, or about a token. */
  readonly url: string;
}

export const TIMEOUT_MS = 2_000;

/** The message is for our log. The caller learns no reason. */
export class TokenRefused extends Error {}

/** Nobody gets in meanwhile. */
export class IssuerUnavailable extends Error {}

/** Takes nothing for granted about what a token, or its issuer, says. @throws TokenRefused */
export function callerOf({ sub, client_id: client, scope }: Record<string, unknown>): Caller {
  if (typeof sub !== 'string' || typeof client !== 'string' || typeof scope !== 'string')
    throw new TokenRefused('a claim is missing, or of another type');
  return { subject: sub, client, scopes: new Set(scope.split(' ')) };
}
