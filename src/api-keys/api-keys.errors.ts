import { defineProblem, ProblemError } from '../problems/problem.js';

const TOO_MANY_API_KEYS = defineProblem({
  slug: 'too-many-api-keys',
  status: 409,
  title: 'Too many API keys',
  about:
    'An account may have only so many keys that work. Delete those that nobody uses: GET /v1/api-keys shows when each was last used.',
});

export class TooManyApiKeysError extends ProblemError {
  constructor(limit: number) {
    super(TOO_MANY_API_KEYS, `There are ${limit} keys already. Delete one that is not used.`);
  }
}
