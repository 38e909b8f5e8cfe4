import { defineProblem, ProblemError, type ProblemFacts } from '../platform/problems/problem.js';
import type { Scope } from './scopes.js';

/** The protection space of all challenges (RFC 9110 11.5). */
export const REALM = 'realm="api"';

const CREDENTIAL_IN_URL = defineProblem({
  slug: 'credential-in-url',
  status: 400,
  title: 'A credential in the URL',
  about:
    'URLs end up in logs, histories and Referer headers, so a credential is never read from one. Send it in a header, and replace it: it has leaked.',
});
const AMBIGUOUS_CREDENTIALS = defineProblem({
  slug: 'ambiguous-credentials',
  status: 400,
  title: 'More than one credential',
  about: 'The request carries two explicit credentials, or one header twice. Send the one that is meant.',
});
const CREDENTIAL_REQUIRED = defineProblem({
  slug: 'credential-required',
  status: 401,
  title: 'A credential is required',
  about:
    'The route needs a credential and the request has none. WWW-Authenticate names the schemes that it accepts.',
});
const MODE_NOT_ACCEPTED = defineProblem({
  slug: 'mode-not-accepted',
  status: 401,
  title: 'This kind of credential is not accepted here',
  about:
    'The route accepts other kinds of credentials than the one presented. WWW-Authenticate names their schemes.',
});
const INVALID_CREDENTIAL = defineProblem({
  slug: 'invalid-credential',
  status: 401,
  title: 'The credential is not valid',
  about:
    'It is malformed, unknown, expired or revoked, or its owner may not sign in. Which of these is not told. Sign in again, or use another key.',
});
const CSRF = defineProblem({
  slug: 'csrf',
  status: 403,
  title: 'Refused as a cross-site request',
  about:
    'A request that a cookie authenticates must come from the same origin, and, unless it only reads, carry the X-CSRF-Token header with the token that the sign-in answered or GET /v1/sessions/current/csrf-token answers.',
});
const PERSON_REQUIRED = defineProblem({
  slug: 'person-required',
  status: 403,
  title: 'A person is required',
  about: 'The credential is a machine’s. This route is for people: sign in.',
});
const INSUFFICIENT_SCOPE = defineProblem({
  slug: 'insufficient-scope',
  status: 403,
  title: 'The credential lacks a scope',
  about: 'The answer names all the scopes that are missing. Ask for a credential that has them.',
});
const RESOURCE_NOT_GRANTED = defineProblem({
  slug: 'resource-not-granted',
  status: 403,
  title: 'The credential is narrowed to other resources',
  about:
    'The key, or the token exchanged for it, is for named resources only, and the request is about none of them. Whether there is what was asked for is not told.',
});
const INSUFFICIENT_USER_AUTHENTICATION = defineProblem({
  slug: 'insufficient-user-authentication',
  status: 401,
  title: 'A recent sign-in is required',
  about:
    'What the route does is sensitive, and the last proof of who you are is too old. POST your password to /v1/sessions/current/reauthentication and repeat the request.',
});
const HTTPS_REQUIRED = defineProblem({
  slug: 'https-required',
  status: 403,
  title: 'HTTPS is required',
  about:
    'A secret was sent over plain http, where others can read it. It is refused rather than redirected, so that the mistake shows. Use https, and replace the secret.',
});

export class CredentialInUrlError extends ProblemError {
  constructor(parameter: string) {
    super(CREDENTIAL_IN_URL, `The query parameter "${parameter}" is refused. Send credentials in a header.`);
  }
}

export class AmbiguousCredentialsError extends ProblemError {
  constructor() {
    super(AMBIGUOUS_CREDENTIALS, 'Send one credential, once.');
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

/** One answer for all the ways in which a credential can be wrong; `reason` says precisely which, for the log. */
export class InvalidCredentialError extends ProblemError {
  constructor(reason: string, challenges: string[] = []) {
    super(INVALID_CREDENTIAL, 'The credential is not valid.', { ...challenge(challenges), reason });
  }
}

export class CsrfError extends ProblemError {
  constructor(reason: string) {
    super(CSRF, 'The request looks like one that another site caused.', { reason });
  }
}

export class PersonRequiredError extends ProblemError {
  constructor() {
    super(PERSON_REQUIRED, 'This route is for people, not for machines.');
  }
}

export class InsufficientScopeError extends ProblemError {
  constructor(
    readonly missing: readonly Scope[],
    scheme: string,
  ) {
    const scope = missing.join(' ');
    super(INSUFFICIENT_SCOPE, `These scopes are missing: ${scope}.`, {
      ...challenge([`${scheme}, error="insufficient_scope", scope="${scope}"`]),
      extensions: { missingScopes: missing },
      reason: `missing ${scope}`,
    });
  }
}

export class ResourceNotGrantedError extends ProblemError {
  constructor() {
    super(RESOURCE_NOT_GRANTED, 'The credential is for other resources.');
  }
}

export class RecentSignInRequiredError extends ProblemError {
  constructor(maxAgeSeconds: number, scheme: string) {
    super(
      INSUFFICIENT_USER_AUTHENTICATION,
      `Prove who you are again: at most ${maxAgeSeconds} seconds ago is needed.`,
      {
        ...challenge([`${scheme}, error="insufficient_user_authentication", max_age="${maxAgeSeconds}"`]),
        extensions: { maxAge: maxAgeSeconds },
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
