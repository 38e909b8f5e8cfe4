import { defineProblem, ProblemError } from './problem.js';

const NOT_FOUND = defineProblem({
  slug: 'not-found',
  status: 404,
  title: 'Not found',
  about:
    'The route does not exist, or you have no such resource. The answer is the same for a resource of another account, so that it does not reveal whether the resource exists.',
});

export class NotFoundError extends ProblemError {
  constructor(detail = 'Not found.') {
    super(NOT_FOUND, detail);
  }
}
