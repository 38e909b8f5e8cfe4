import { defineProblem, ProblemError } from '../../platform/problems/problem.js';

const TOO_MANY_API_KEYS = defineProblem({
  slug: 'too-many-api-keys',
  status: 409,
  title: 'Too many API keys',
  about:
    'An account may have only so many keys that work. Delete those that nobody uses: GET /v1/api-keys shows when each was last used.',
});

const ROTATION_CONFLICT = defineProblem({
  slug: 'rotation-conflict',
  status: 409,
  title: 'The key cannot be rotated now',
  about:
    'At most two keys of one line work at the same time: the one that was rotated, until its overlap ends, and its successor. Only the newest can be rotated, once the one before it is over or deleted, and only while it works.',
});

export class RotationConflictError extends ProblemError {
  constructor(detail: string) {
    super(ROTATION_CONFLICT, detail);
  }
}

export class TooManyApiKeysError extends ProblemError {
  constructor(limit: number) {
    super(TOO_MANY_API_KEYS, `There are ${limit} keys already. Delete one that is not used.`);
  }
}
