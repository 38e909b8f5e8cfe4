import { defineProblem, ProblemError } from '../../platform/problems/problem.js';
import type { Secret } from '../../platform/crypto/secret.js';

const MFA_REQUIRED = defineProblem({
  slug: 'mfa-required',
  status: 401,
  title: 'A second factor is required',
  about:
    'The password is right, and the sign-in needs one more proof. Send `mfaToken` and one of `methods` to the same route within 5 minutes, such as `{ "mfaToken": "…", "totp": "123456" }`. After 5 wrong attempts, start again.',
});
const TOTP_ENROLLED = defineProblem({
  slug: 'totp-enrolled',
  status: 409,
  title: 'An authenticator app is already enrolled',
  about: 'An account has one authenticator app. Remove it before you enrol another one.',
});
const NO_SECOND_FACTOR = defineProblem({
  slug: 'no-second-factor',
  status: 409,
  title: 'No second factor is enrolled',
  about: 'Recovery codes replace a lost second factor. Enrol an authenticator app or a passkey first.',
});
const INVALID_PASSKEY = defineProblem({
  slug: 'invalid-passkey',
  status: 400,
  title: 'The passkey cannot be registered',
  about:
    'The answer of the authenticator does not match the options, is too old, was sent before, or names a passkey that is already registered. Request new options and try again.',
});
const TOO_MANY_PASSKEYS = defineProblem({
  slug: 'too-many-passkeys',
  status: 409,
  title: 'The account has the maximum number of passkeys',
  about: 'An account can have 20 passkeys. Remove one that is no longer used.',
});

/** `further` has fields of single methods, such as `passkeyOptions`. */
export class MfaRequiredError extends ProblemError {
  constructor(mfaToken: Secret, methods: readonly string[], further: Record<string, unknown>) {
    super(MFA_REQUIRED, 'Send the token with a second factor.', {
      extensions: { mfaToken: mfaToken.reveal(), methods, ...further },
      reason: 'second factor required',
    });
  }
}

export class TotpEnrolledError extends ProblemError {
  constructor() {
    super(TOTP_ENROLLED, 'Remove the authenticator app before you enrol another one.');
  }
}

export class NoSecondFactorError extends ProblemError {
  constructor() {
    super(NO_SECOND_FACTOR, 'Enrol a second factor first.');
  }
}

export class InvalidPasskeyError extends ProblemError {
  constructor(reason: string) {
    super(INVALID_PASSKEY, 'Request new options and try again.', { reason });
  }
}

export class TooManyPasskeysError extends ProblemError {
  constructor() {
    super(TOO_MANY_PASSKEYS, 'Remove a passkey first.');
  }
}
