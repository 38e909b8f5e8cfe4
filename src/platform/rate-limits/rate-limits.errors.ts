import { defineProblem, ProblemError } from '../problems/problem.js';

const RATE_LIMITED = defineProblem({
  slug: 'rate-limited',
  status: 429,
  title: 'Too many requests',
  about:
    'The limit that RateLimit-Policy names is used up. Wait for as many seconds as Retry-After says, and send less: RateLimit tells with each answer how many requests are left, and until when.',
});

export class RateLimitedError extends ProblemError {
  /** @param retryAfter in seconds @param whose what is counted, for the log */
  constructor(retryAfter: number, whose: string) {
    super(RATE_LIMITED, `Try again in ${retryAfter} seconds.`, {
      headers: { 'Retry-After': String(retryAfter) },
      reason: whose,
    });
  }
}
