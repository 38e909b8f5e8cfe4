import type { ProblemError } from '../../platform/problems/problem.js';

/** What RFC 6749 has no word for in 5.2, it has one for in 4.1.2.1. */
const BY_STATUS: Record<number, string> = {
  429: 'temporarily_unavailable',
  500: 'server_error',
  503: 'temporarily_unavailable',
};
/** Whatever found the body to be of another type: what these endpoints take is not JSON. */
const FORMS_ONLY =
  'Send a form in UTF-8, with Content-Type: application/x-www-form-urlencoded and no Content-Encoding.';
/** All that an error_description may hold (RFC 6749 5.2). */
const FORBIDDEN = /[^\x20\x21\x23-\x5b\x5d-\x7e]/g;

/** RFC 6749 5.2 */
export function oauthBody({ kind, detail, extensions }: ProblemError): object {
  const description = kind.status === 415 ? FORMS_ONLY : detail;
  return {
    error: extensions['error'] ?? BY_STATUS[kind.status] ?? 'invalid_request',
    error_description: description.replaceAll('"', "'").replaceAll(FORBIDDEN, ''),
  };
}
