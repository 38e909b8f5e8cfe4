import { defineProblem, ProblemError, type ProblemFacts } from '../platform/problems/problem.js';
import type { Scope } from './scopes.js';

/** The protection space of every challenge (RFC 9110 11.5). */
export const REALM = 'realm="api"';

const CREDENTIAL_IN_URL = defineProblem({
  slug: 'credential-in-url',
  status: 400,
  title: 'Credential in the URL',
  about:
    'URLs appear in logs, browser histories and Referer headers, so the server never reads a credential from a URL. Revoke this credential, because it may have leaked. Send the new one in a header.',
});
const AMBIGUOUS_CREDENTIALS = defineProblem({
  slug: 'ambiguous-credentials',
  status: 400,
  title: 'More than one credential',
  about: 'The request has two explicit credentials, or the same credential header twice. Send exactly one.',
});
const CREDENTIAL_REQUIRED = defineProblem({
  slug: 'credential-required',
  status: 401,
  title: 'Credential required',
  about:
    'The route requires a credential, and the request has none. WWW-Authenticate lists the schemes that the route accepts.',
});
const MODE_NOT_ACCEPTED = defineProblem({
  slug: 'mode-not-accepted',
  status: 401,
  title: 'Kind of credential not accepted',
  about:
    'The route does not accept this kind of credential. WWW-Authenticate lists the schemes that it accepts.',
});
const INVALID_CREDENTIAL = defineProblem({
  slug: 'invalid-credential',
  status: 401,
  title: 'Invalid credential',
  about:
    'The credential is malformed, unknown, expired or revoked, or its owner cannot sign in. The answer does not say which. Sign in again, or use another key.',
});
const CSRF = defineProblem({
  slug: 'csrf',
  status: 403,
  title: 'Cross-site request refused',
  about:
    'A request with a cookie must come from an allowed origin. A request with a session cookie that changes something must also have the CSRF token of the session in X-CSRF-Token.',
});
const PERSON_REQUIRED = defineProblem({
  slug: 'person-required',
  status: 403,
  title: 'Person required',
  about:
    'The credential belongs to a machine that cannot call this route. Sign in. Some routes also accept an API key of a person, but never one of a service account.',
});
const INSUFFICIENT_SCOPE = defineProblem({
  slug: 'insufficient-scope',
  status: 403,
  title: 'Insufficient scope',
  about: 'The answer lists all missing scopes. Use a credential that has them.',
});
const RESOURCE_NOT_GRANTED = defineProblem({
  slug: 'resource-not-granted',
  status: 403,
  title: 'Resource not granted',
  about:
    'The API key, or the token exchanged for it, is narrowed to certain resources, and this resource is not one of them. The answer does not say whether the resource exists.',
});
const INSUFFICIENT_USER_AUTHENTICATION = defineProblem({
  slug: 'insufficient-user-authentication',
  status: 401,
  title: 'Recent or stronger sign-in required',
  about:
    'Your sign-in is too old for this action, or it has no second factor. `maxAge` is how old it can be, in seconds. `acrValues` is the level that the action requires: `aal2` is a sign-in with a second factor. POST your password or a second factor to /v1/sessions/current/reauthentication, then repeat the request.',
});
const HTTPS_REQUIRED = defineProblem({
  slug: 'https-required',
  status: 403,
  title: 'HTTPS required',
  about:
    'The request sent a secret over plain HTTP, where others can read it. The server refuses it instead of redirecting, so that you notice. Use https, and replace the secret.',
});

export class CredentialInUrlError extends ProblemError {
  constructor(parameter: string) {
    super(
      CREDENTIAL_IN_URL,
      `The query parameter "${parameter}" is not accepted. Send credentials in a header.`,
    );
  }
}

export class AmbiguousCredentialsError extends ProblemError {
  constructor() {
    super(AMBIGUOUS_CREDENTIALS, 'Send exactly one credential.');
  }
}

export class CredentialRequiredError extends ProblemError {
  constructor(challenges: string[]) {
    super(CREDENTIAL_REQUIRED, 'Send a credential.', challenge(challenges));
  }
}

export class ModeNotAcceptedError extends ProblemError {
  constructor(challenges: string[]) {
    super(MODE_NOT_ACCEPTED, 'This route does not accept this kind of credential.', challenge(challenges));
  }
}

/** The answer is the same for every invalid credential. `reason` is the precise reason, for the log only. */
export class InvalidCredentialError extends ProblemError {
  constructor(reason: string, challenges: string[] = []) {
    super(INVALID_CREDENTIAL, 'The credential is not valid.', { ...challenge(challenges), reason });
  }
}

export class CsrfError extends ProblemError {
  constructor(reason: string) {
    super(CSRF, 'Cross-site request refused.', { reason });
  }
}

export class PersonRequiredError extends ProblemError {
  constructor() {
    super(PERSON_REQUIRED, 'This machine cannot call this route. Sign in as a person.');
  }
}

export class InsufficientScopeError extends ProblemError {
  constructor(
    readonly missing: readonly Scope[],
    scheme: string,
  ) {
    const scope = missing.join(' ');
    super(INSUFFICIENT_SCOPE, `Missing scopes: ${scope}.`, {
      ...challenge([`${scheme}, error="insufficient_scope", scope="${scope}"`]),
      extensions: { missingScopes: missing },
      reason: `missing ${scope}`,
    });
  }
}

export class ResourceNotGrantedError extends ProblemError {
  constructor() {
    super(RESOURCE_NOT_GRANTED, 'The credential is not valid for this resource.');
  }
}

/** RFC 9470 */
export class InsufficientUserAuthenticationError extends ProblemError {
  /** @param maxAgeMs how old the sign-in can be; undefined for any age */
  constructor(scheme: string, maxAgeMs: number | undefined, lacksFactor: boolean) {
    const maxAge = maxAgeMs === undefined ? undefined : Math.floor(maxAgeMs / 1000);
    const within = maxAge === undefined ? '' : ` within the last ${maxAge} seconds`;
    const parameters = [
      'error="insufficient_user_authentication"',
      ...(lacksFactor ? ['acr_values="aal2"'] : []),
      ...(maxAge === undefined ? [] : [`max_age="${maxAge}"`]),
    ];
    super(
      INSUFFICIENT_USER_AUTHENTICATION,
      lacksFactor
        ? `Use a second factor: this action requires one${within}.`
        : `Sign in again: this action requires a sign-in${within}.`,
      {
        ...challenge([[scheme, ...parameters].join(', ')]),
        extensions: { ...(lacksFactor && { acrValues: ['aal2'] }), ...(maxAge !== undefined && { maxAge }) },
      },
    );
  }
}

export class HttpsRequiredError extends ProblemError {
  constructor() {
    super(HTTPS_REQUIRED, 'Repeat the request over https.');
  }
}

function challenge(challenges: string[]): Pick<ProblemFacts, 'headers'> {
  return challenges.length > 0 ? { headers: { 'WWW-Authenticate': challenges } } : {};
}
