import { defineProblem, ProblemError } from '../../platform/problems/problem.js';

const INVALID_ONE_TIME_TOKEN = defineProblem({
  slug: 'invalid-one-time-token',
  status: 400,
  title: 'Invalid link',
  about: 'The one-time token of the link is unknown, used or expired. Request a new mail.',
});

export class InvalidOneTimeTokenError extends ProblemError {
  constructor(reason: string) {
    super(INVALID_ONE_TIME_TOKEN, 'The token is unknown, used or expired. Request a new mail.', { reason });
  }
}

const ALREADY_CONFIRMED = defineProblem({
  slug: 'already-confirmed',
  status: 409,
  title: 'Address already confirmed',
  about: 'This link has already confirmed the address. You can sign in.',
});

export class AlreadyConfirmedError extends ProblemError {
  constructor() {
    super(ALREADY_CONFIRMED, 'This address is already confirmed. You can sign in.');
  }
}
