import { defineProblem, ProblemError } from '../problems/problem.js';

const RATE_LIMITED = defineProblem({
  slug: 'rate-limited',
  status: 429,
  title: 'Too many requests',
  about:
    'The limit in RateLimit-Policy is reached. Wait for the seconds in Retry-After, then send fewer requests. The RateLimit header of each answer has the remaining requests and seconds.',
});

export class RateLimitedError extends ProblemError {
  /** @param retryAfter in seconds @param policy for the log. Not the subject, because an audit log keeps reasons for ever */
  constructor(retryAfter: number, policy: string) {
    super(RATE_LIMITED, `Try again in ${retryAfter} seconds.`, {
      headers: { 'Retry-After': String(retryAfter) },
      reason: policy,
    });
  }
}
