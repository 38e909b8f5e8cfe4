import { defineProblem, ProblemError } from '../../platform/problems/problem.js';

const INVALID_REFRESH_TOKEN = defineProblem({
  slug: 'invalid-refresh-token',
  status: 401,
  title: 'Invalid refresh token',
  about:
    'The refresh token is missing, unknown, expired, already used or revoked, or its sign-in has ended. The answer does not say which. Sign in again. A refresh token can be used once: store the new one from each answer.',
});

/** The answer is the same for all reasons. Only the log has the `reason`. */
export class InvalidRefreshTokenError extends ProblemError {
  constructor(reason: string) {
    super(INVALID_REFRESH_TOKEN, 'The refresh token is not valid. Sign in again.', {
      headers: { 'WWW-Authenticate': 'Bearer realm="api"' },
      reason,
    });
  }
}
