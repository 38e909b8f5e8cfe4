import type { ProblemError } from '../../platform/problems/problem.js';

/** Codes for statuses that RFC 6749 5.2 does not cover, from its section 4.1.2.1. */
const BY_STATUS: Record<number, string> = {
  429: 'temporarily_unavailable',
  500: 'server_error',
  503: 'temporarily_unavailable',
};
/** For every 415, because these endpoints accept only forms. */
const FORMS_ONLY =
  'Send a form in UTF-8, with Content-Type: application/x-www-form-urlencoded and no Content-Encoding.';
/** Characters that an error_description must not contain (RFC 6749 5.2). */
const FORBIDDEN = /[^\x20\x21\x23-\x5b\x5d-\x7e]/g;

/** The body of an error answer (RFC 6749 5.2). */
export function oauthBody({ kind, detail, extensions }: ProblemError): object {
  const description = kind.status === 415 ? FORMS_ONLY : detail;
  return {
    error: extensions['error'] ?? BY_STATUS[kind.status] ?? 'invalid_request',
    error_description: description.replaceAll('"', "'").replaceAll(FORBIDDEN, ''),
  };
}
