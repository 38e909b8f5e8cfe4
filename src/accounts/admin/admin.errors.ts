import { defineProblem, ProblemError } from '../../platform/problems/problem.js';

const LAST_ADMINISTRATOR = defineProblem({
  slug: 'last-administrator',
  status: 409,
  title: 'The last administrator',
  about:
    'Without this person nobody could administer the service any more. Make somebody else an administrator first.',
});

export class LastAdministratorError extends ProblemError {
  constructor() {
    super(LAST_ADMINISTRATOR, 'Make somebody else an administrator first.');
  }
}
