import { defineProblem, ProblemError } from '../../platform/problems/problem.js';
import { DatabaseUnavailableError } from '../http/http.errors.js';

/** A part of the server that fails. Everybody can read this, so `detail` has no names, addresses or versions. */
export interface FailingPart {
  readonly part: string;
  readonly detail: string;
}

const NOT_READY = defineProblem({
  slug: 'not-ready',
  status: 503,
  title: 'Node not ready',
  about:
    'The node lacks something that it needs. `failing` names each part. The log has the reasons. Send requests to another node.',
});

class NotReadyError extends ProblemError {
  constructor(failing: readonly FailingPart[]) {
    super(NOT_READY, `Failing: ${failing.map(({ part }) => part).join(', ')}.`, {
      headers: { 'Retry-After': '1' },
      extensions: { failing },
    });
  }
}

/** Without the database, the problem is the same as that of all other requests. */
export const notReady = (failing: readonly FailingPart[]): ProblemError =>
  failing.some(({ part }) => part === 'database')
    ? new DatabaseUnavailableError({ failing })
    : new NotReadyError(failing);
