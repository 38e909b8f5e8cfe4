import { defineProblem, ProblemError } from './problem.js';

const NOT_FOUND = defineProblem({
  slug: 'not-found',
  status: 404,
  title: 'Not found',
  about:
    'There is no such route, or no such resource that is yours. A resource of somebody else’s is answered in the same way, so that its existence does not show.',
});

export class NotFoundError extends ProblemError {
  constructor(detail = 'There is no such resource of yours.') {
    super(NOT_FOUND, detail);
  }
}
