import { defineProblem, ProblemError } from '../problems/problem.js';

const INVALID_ONE_TIME_TOKEN = defineProblem({
  slug: 'invalid-one-time-token',
  status: 400,
  title: 'The link is not valid any more',
  about: 'The one-time token of the link is unknown, used or expired. Ask for a new mail.',
});

export class InvalidOneTimeTokenError extends ProblemError {
  constructor(reason: string) {
    super(INVALID_ONE_TIME_TOKEN, 'The token is unknown, used or expired.', { reason });
  }
}
