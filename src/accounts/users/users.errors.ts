import { defineProblem, ProblemError } from '../../platform/problems/problem.js';

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

const ALREADY_CONFIRMED = defineProblem({
  slug: 'already-confirmed',
  status: 409,
  title: 'The address is already confirmed',
  about: 'This link has confirmed the address before. There is nothing more to do: sign in.',
});

export class AlreadyConfirmedError extends ProblemError {
  constructor() {
    super(ALREADY_CONFIRMED, 'This address is already confirmed. Sign in.');
  }
}
