import { REALM } from '../../auth/auth.errors.js';
import { ProblemError } from '../../platform/problems/problem.js';

const STATUS = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  invalid_scope: 400,
  // RFC 8707 section 2.
  invalid_target: 400,
  // RFC 6750 section 3.1.
  insufficient_scope: 403,
} as const;

export type OAuthErrorCode = keyof typeof STATUS;

/** An error in the form of RFC 6749 section 5.2. It has no page under /problems. */
export class OAuthError extends ProblemError {
  constructor(
    readonly code: OAuthErrorCode,
    description: string,
    facts: { reason?: string; challenges?: string[] } = {},
  ) {
    const kind = { slug: code, status: STATUS[code], title: code, about: '' };
    const { reason, challenges } = facts;
    super(kind, description, {
      extensions: { error: code },
      ...(challenges && { headers: { 'WWW-Authenticate': challenges } }),
      ...(reason !== undefined && { reason }),
    });
  }
}

/** The answer is the same for all reasons. Only the log has the `reason`. */
export class InvalidClientError extends OAuthError {
  constructor(reason: string, schemes: readonly string[]) {
    const challenges = schemes.map((scheme) => `${scheme} ${REALM}`);
    super('invalid_client', 'The client is not authenticated.', { reason, challenges });
  }
}
