import { defineProblem, ProblemError } from '../../platform/problems/problem.js';

const INVALID_REFRESH_TOKEN = defineProblem({
  slug: 'invalid-refresh-token',
  status: 401,
  title: 'The refresh token is not valid',
  about:
    'It is missing, unknown, expired, used before or revoked, or its sign-in is over. Which of these is not told. A refresh token is used once: keep the one that each answer brings. Sign in again.',
});

/** One answer for all reasons; `reason` says precisely which, for the log. */
export class InvalidRefreshTokenError extends ProblemError {
  constructor(reason: string) {
    super(INVALID_REFRESH_TOKEN, 'The refresh token is not valid. Sign in again.', {
      headers: { 'WWW-Authenticate': 'Bearer realm="api"' },
      reason,
    });
  }
}
